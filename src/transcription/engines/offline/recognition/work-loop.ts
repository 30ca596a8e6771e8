/**
 * Shares one process among its streams. Audio is read a little from each in turn, then one decoding is done: finals
 * before likely finals before interims, and among equals the stream that has waited longest. Interims that are not done
 * in time are not queued: the next one covers more audio, so under pressure they thin out by themselves.
 */
import type { RecognitionStream, Urgency } from "./recognition-stream.ts";

/** Samples that a stream may read before the next one has its turn: a quarter of a second. */
const readSamples = 4096;
const urgencies: readonly Urgency[] = ["final", "likely-final", "interim"];

export interface WorkLoopOptions {
  /** A defect while working on a stream, which has been removed. */
  readonly onFailure: (stream: RecognitionStream, error: unknown) => void;
}

export class WorkLoop {
  readonly #options: WorkLoopOptions;
  /** In the order in which they were last decoded for. */
  #streams: RecognitionStream[] = [];
  #running = false;

  constructor(options: WorkLoopOptions) {
    this.#options = options;
  }

  add(stream: RecognitionStream): void {
    this.#streams.push(stream);
  }

  remove(stream: RecognitionStream): void {
    stream.abort();
    this.#streams = this.#streams.filter((candidate) => candidate !== stream);
  }

  /** Call after giving any stream something to do. */
  wake(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    while (await this.#turn());
    this.#running = false;
  }

  /** False when there was nothing to do. */
  async #turn(): Promise<boolean> {
    let worked = false;
    for (const stream of [...this.#streams]) {
      if (!stream.canRead) continue;
      worked = true;
      await this.#guard(stream, () => stream.read(readSamples));
    }
    const next = this.#mostUrgent();
    if (next === undefined) return worked;
    this.#streams = [...this.#streams.filter((candidate) => candidate !== next), next];
    await this.#guard(next, () => next.decode());
    return true;
  }

  #mostUrgent(): RecognitionStream | undefined {
    for (const urgency of urgencies) {
      const stream = this.#streams.find((candidate) => candidate.due === urgency);
      if (stream !== undefined) return stream;
    }
    return undefined;
  }

  async #guard(stream: RecognitionStream, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.remove(stream);
      this.#options.onFailure(stream, error);
    }
  }
}
