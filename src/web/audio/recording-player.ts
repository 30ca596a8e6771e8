/** Plays spans of a recording that this browser keeps, and says where it is. One span at a time. */
import { signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import type { Recording, RecordingStore } from "./recording-store.ts";
import { sampleRateHz, samplesPerMs } from "./sample-rate.ts";

/** Loaded at once; the next one is loaded while this one plays, and follows without a gap. */
const chunkSamples = 10 * sampleRateHz;
const positionEveryMs = 80;

export class RecordingPlayer {
  readonly #store: Pick<RecordingStore, "read">;
  readonly #recording: Recording;
  readonly #position = signal<number | undefined>(undefined);
  #context: AudioContext | undefined;
  #stopPlaying: (() => void) | undefined;

  /** Milliseconds of the session clock; undefined while nothing plays. */
  readonly positionMs: ReadonlySignal<number | undefined> = this.#position;

  constructor(store: Pick<RecordingStore, "read">, recording: Recording) {
    this.#store = store;
    this.#recording = recording;
  }

  /** To be called from a click or a key, as browsers want it. Whatever plays is stopped. */
  async play(startMs: number, endMs: number): Promise<void> {
    this.stop();
    const stopping = new AbortController();
    this.#stopPlaying = () => stopping.abort();
    const context = (this.#context ??= new AudioContext());
    await context.resume();
    const end = Math.min(Math.round(endMs * samplesPerMs), this.#recording.endSample);
    let at = Math.max(0, Math.round(startMs * samplesPerMs));
    let startTime: number | undefined;
    let nextTime = 0;
    const isStopped = () => stopping.signal.aborted;
    const queue = async (): Promise<AudioBufferSourceNode | undefined> => {
      const samples = await this.#store.read(
        this.#recording.recordingId,
        at,
        Math.min(at + chunkSamples, end),
      );
      if (samples.length === 0 || isStopped()) return undefined;
      if (startTime === undefined) {
        startTime = nextTime = context.currentTime + 0.05;
        this.#tellPosition(context, startTime, startMs, stopping.signal);
      }
      const source = playAt(context, samples, nextTime);
      stopping.signal.addEventListener("abort", () => source.stop());
      nextTime += samples.length / sampleRateHz;
      at += samples.length;
      return source;
    };
    let playing = await queue();
    while (playing && !isStopped()) {
      const ended = new Promise((resolve) => playing?.addEventListener("ended", resolve));
      const following = await queue();
      await ended;
      playing = following;
    }
    if (!isStopped()) this.stop();
  }

  stop(): void {
    this.#stopPlaying?.();
    this.#stopPlaying = undefined;
    this.#position.value = undefined;
  }

  /** Nothing plays after that. */
  close(): void {
    this.stop();
    void this.#context?.close();
    this.#context = undefined;
  }

  #tellPosition(context: AudioContext, startTime: number, startMs: number, stopping: AbortSignal): void {
    const tell = () => {
      this.#position.value = startMs + Math.max(0, context.currentTime - startTime) * 1000;
    };
    const timer = setInterval(tell, positionEveryMs);
    stopping.addEventListener("abort", () => clearInterval(timer));
    tell();
  }
}

function playAt(context: AudioContext, samples: Int16Array, time: number): AudioBufferSourceNode {
  const buffer = context.createBuffer(1, samples.length, sampleRateHz);
  buffer.copyToChannel(
    Float32Array.from(samples, (sample) => sample / 32_768),
    0,
  );
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(context.destination);
  source.start(time);
  return source;
}
