/**
 * Keeps a recording while it is made: gathers samples to pieces of 250 ms and stores them one after the other. Never makes
 * its caller wait, and survives a full disk: then the recording has a hole, and `onTrouble` is told once.
 */
import { samplesPerMs } from "./sample-rate.ts";
import { maxPieceSamples } from "./recording-store.ts";
import type { RecordingStore } from "./recording-store.ts";

const pieceSamples = 250 * samplesPerMs;

export interface RecordingWriterOptions {
  readonly store: Pick<RecordingStore, "append" | "list" | "delete">;
  readonly recordingId: string;
  /** Place of the first sample on the session clock. */
  readonly firstSample: number;
  /** Something could not be kept. Called once. */
  readonly onTrouble: () => void;
}

export class RecordingWriter {
  readonly #options: RecordingWriterOptions;
  #unwritten: Int16Array[] = [];
  #unwrittenSamples = 0;
  #nextSample: number;
  #written = Promise.resolve();
  #hadTrouble = false;

  constructor(options: RecordingWriterOptions) {
    this.#options = options;
    this.#nextSample = options.firstSample;
  }

  append(samples: Int16Array): void {
    this.#unwritten.push(samples);
    this.#unwrittenSamples += samples.length;
    if (this.#unwrittenSamples >= pieceSamples) this.#writePiece();
  }

  /** Resolves when everything is kept that could be. Never rejects. */
  flush(): Promise<void> {
    if (this.#unwrittenSamples > 0) this.#writePiece();
    return this.#written;
  }

  #writePiece(): void {
    const all = new Int16Array(this.#unwrittenSamples);
    let filled = 0;
    for (const samples of this.#unwritten) {
      all.set(samples, filled);
      filled += samples.length;
    }
    this.#unwritten = [];
    this.#unwrittenSamples = 0;
    for (let at = 0; at < all.length; at += maxPieceSamples) {
      const piece = all.subarray(at, at + maxPieceSamples);
      const firstSample = this.#nextSample;
      this.#nextSample += piece.length;
      this.#written = this.#written.then(() => this.#write(firstSample, piece));
    }
  }

  async #write(firstSample: number, piece: Int16Array): Promise<void> {
    const { store, recordingId, onTrouble } = this.#options;
    try {
      for (;;) {
        try {
          await store.append(recordingId, firstSample, piece);
          return;
        } catch (error) {
          if (!isFull(error) || !(await this.#makeRoom())) throw error;
        }
      }
    } catch {
      // What is lost is the sound in this browser: the server hears it all the same.
      if (!this.#hadTrouble) onTrouble();
      this.#hadTrouble = true;
    }
  }

  /** Deletes the oldest recording that is over, if there is one. */
  async #makeRoom(): Promise<boolean> {
    const { store } = this.#options;
    const oldest = (await store.list()).findLast(({ isFinished }) => isFinished);
    if (oldest) await store.delete(oldest.recordingId);
    return oldest !== undefined;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && error.name === "QuotaExceededError";
}
