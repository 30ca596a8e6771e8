/**
 * The parent's end of one stream: gathers small writes, holds the writer back while the child has enough to read, and
 * passes events on until the stream has ended, failed or been aborted, never after.
 */
import { EngineError, type EngineStream, type EngineStreamOptions } from "../speech-engine.ts";
import type { ChildMessage, ParentMessage } from "./protocol.ts";

/** Writes are gathered to so many samples before they are sent: 64 ms, two frames of the detector. */
const gatherSamples = 1024;
/** No message is larger than a second of audio, so that many streams share the channel fairly. */
const messageSamples = 16_000;
/** The writer waits while the child has more than two seconds to read. */
const unreadLimitSamples = 32_000;

type StreamMessage = Extract<ChildMessage, { stream: number }>;

export interface ProcessStreamOptions {
  readonly id: number;
  readonly stream: EngineStreamOptions;
  readonly send: (message: ParentMessage) => void;
  /** Called once, when the stream is over for whatever reason. */
  readonly onClosed: () => void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: EngineError) => void;
}

export class ProcessStream implements EngineStream {
  readonly #options: ProcessStreamOptions;
  #gathered: Float32Array[] = [];
  #gatheredSamples = 0;
  #sentSamples = 0;
  #takenSamples = 0;
  #writer: Waiter | undefined;
  #finalizers: Waiter[] = [];
  /** Set once: why nothing more can be done. */
  #over: EngineError | undefined;

  constructor(options: ProcessStreamOptions) {
    this.#options = options;
    options.send({ type: "open", stream: options.id, interimResults: options.stream.interimResults });
  }

  /** Whether the child owes this stream something. */
  get isWaiting(): boolean {
    return this.#sentSamples > this.#takenSamples || this.#finalizers.length > 0;
  }

  async write(samples: Float32Array): Promise<void> {
    if (this.#over !== undefined) throw this.#over;
    this.#gathered.push(samples);
    this.#gatheredSamples += samples.length;
    if (this.#gatheredSamples >= gatherSamples) this.#sendGathered();
    if (this.#sentSamples - this.#takenSamples <= unreadLimitSamples) return;
    await new Promise<void>((resolve, reject) => (this.#writer = { resolve, reject }));
  }

  async finalize(): Promise<void> {
    await this.#flush("finalize");
  }

  async #flush(type: "finalize" | "end"): Promise<void> {
    if (this.#over !== undefined) throw this.#over;
    this.#sendGathered();
    this.#options.send({ type, stream: this.#options.id });
    await new Promise<void>((resolve, reject) => this.#finalizers.push({ resolve, reject }));
  }

  async end(): Promise<void> {
    await this.#flush("end");
    this.#finish(new EngineError("internal", "the stream has ended"));
    this.#options.send({ type: "abort", stream: this.#options.id });
  }

  receive(message: StreamMessage): void {
    if (this.#over !== undefined) return;
    switch (message.type) {
      case "event":
        this.#options.stream.onEvent(message.event);
        return;
      case "taken":
        this.#takenSamples = message.throughSample;
        if (this.#sentSamples - this.#takenSamples <= unreadLimitSamples) this.#releaseWriter();
        return;
      case "finalized":
        this.#finalizers.shift()?.resolve();
        return;
      case "stream-failed":
        this.fail(
          new EngineError("internal", `the offline engine failed: ${message.reason}`, { retryable: true }),
        );
    }
  }

  /** Ends the stream with an error that everyone waiting, and `onError`, gets. */
  fail(error: EngineError): void {
    if (this.#over !== undefined) return;
    this.#finish(error);
    this.#options.stream.onError(error);
  }

  /** Ends the stream silently; the child forgets it. */
  abort(): void {
    if (this.#over !== undefined) return;
    this.#finish(new EngineError("unavailable", "the stream was aborted", { retryable: false }));
    this.#options.send({ type: "abort", stream: this.#options.id });
  }

  #finish(error: EngineError): void {
    this.#over = error;
    this.#gathered = [];
    const waiters = [...(this.#writer === undefined ? [] : [this.#writer]), ...this.#finalizers];
    this.#writer = undefined;
    this.#finalizers = [];
    for (const waiter of waiters) waiter.reject(error);
    this.#options.onClosed();
  }

  #releaseWriter(): void {
    this.#writer?.resolve();
    this.#writer = undefined;
  }

  #sendGathered(): void {
    if (this.#gatheredSamples === 0) return;
    const all = new Float32Array(this.#gatheredSamples);
    let at = 0;
    for (const samples of this.#gathered) {
      all.set(samples, at);
      at += samples.length;
    }
    this.#gathered = [];
    this.#gatheredSamples = 0;
    this.#sentSamples += all.length;
    for (let from = 0; from < all.length; from += messageSamples) {
      const samples = all.slice(from, from + messageSamples);
      this.#options.send({ type: "audio", stream: this.#options.id, samples });
    }
  }
}
