/**
 * The offline speech engine: Silero voice activity detection and Moonshine tiny, in child processes sized to the
 * machine. It owns capacity and the choice of process; recognition itself happens in the processes.
 */
import { availableParallelism } from "node:os";
import {
  EngineError,
  type EngineCapabilities,
  type EngineHealth,
  type EngineStream,
  type EngineStreamOptions,
  type SpeechEngine,
} from "../speech-engine.ts";
import { EngineProcess, type ProcessExit } from "./engine-process.ts";
import { ModelError } from "./model/model-error.ts";
import { fetchModels, type FetchModelsOptions } from "./model/fetch-models.ts";

export interface OfflineEngineOptions extends FetchModelsOptions {
  /** Child processes. Default: half the processors, 1 to 4. */
  readonly processes?: number;
  /** Streams that one process serves at once. Default 8: on one processor, about half of what it can do in real time. */
  readonly maxStreamsPerProcess?: number;
  /** A child process ended without being asked to; it starts again when the next stream opens. */
  readonly onProcessExit?: (exit: ProcessExit) => void;
  /** A process that owes an answer and is silent for five looks, so many milliseconds apart, is ended. Default 5000. */
  readonly watchEveryMs?: number;
}

export interface OfflineEngine extends SpeechEngine {
  /** Fetches the models if needed and loads them, so that the first stream need not wait. Rejects as `open` does. */
  warmUp(): Promise<void>;
  /** Of the child processes that run now. */
  processIds(): readonly number[];
}

const sampleRateHz = 16_000;

/** Starts nothing: the first stream or `warmUp` does. */
export function createOfflineEngine(options: OfflineEngineOptions): OfflineEngine {
  return new OfflineSpeechEngine(options);
}

class OfflineSpeechEngine implements OfflineEngine {
  readonly name = "offline";
  readonly sampleRateHz = sampleRateHz;
  readonly capabilities: EngineCapabilities;
  readonly #slots: { readonly process: EngineProcess; streams: number }[];
  readonly #perProcess: number;
  readonly #maxStreams: number;
  #state: "idle" | "loading" | "loaded" | "failed" | "closed" = "idle";
  #failure = "";

  constructor(options: OfflineEngineOptions) {
    const processes = options.processes ?? Math.min(4, Math.max(1, Math.floor(availableParallelism() / 2)));
    this.#perProcess = options.maxStreamsPerProcess ?? 8;
    this.#maxStreams = processes * this.#perProcess;
    this.capabilities = {
      interimResults: true,
      longestSegmentMs: 16_500,
      wordTimes: "estimated",
      confidence: true,
      fillers: "kept",
      languages: ["en"],
      maxStreams: this.#maxStreams,
    };
    const models = sharedAttempt(() => fetchModels(options));
    this.#slots = Array.from({ length: processes }, () => ({
      process: new EngineProcess({
        models,
        onExit: (exit) => options.onProcessExit?.(exit),
        ...(options.watchEveryMs !== undefined && { watchEveryMs: options.watchEveryMs }),
      }),
      streams: 0,
    }));
  }

  async open(options: EngineStreamOptions, signal: AbortSignal): Promise<EngineStream> {
    signal.throwIfAborted();
    if (!/^en(-|$)/i.test(options.language)) {
      throw new EngineError(
        "unsupported",
        `the offline engine does not know the language "${options.language}"`,
      );
    }
    const slot = this.#freeSlot();
    slot.streams++;
    const release = once(() => {
      slot.streams--;
      signal.removeEventListener("abort", release);
    });
    try {
      const stream = await this.#started(slot.process.open({ ...options, onError }, signal));
      // An abort that came while this was awaited has ended the stream, and a listener would not hear of it any more.
      signal.throwIfAborted();
      signal.addEventListener("abort", release, { once: true });
      return releasing(stream, release);
    } catch (error) {
      release();
      throw error;
    }
    function onError(error: EngineError): void {
      release();
      options.onError(error);
    }
  }

  async warmUp(): Promise<void> {
    await this.#started(Promise.all(this.#slots.map((slot) => slot.process.start())));
  }

  processIds(): readonly number[] {
    return this.#slots.map((slot) => slot.process.pid).filter((pid) => pid !== undefined);
  }

  health(): EngineHealth {
    const used = this.#slots.reduce((sum, slot) => sum + slot.streams, 0);
    const streams = `${used} of ${this.#maxStreams} streams`;
    if (this.#state === "closed") return { ready: false, detail: "closed" };
    if (used >= this.#maxStreams)
      return { ready: false, detail: `at capacity (${this.#maxStreams} streams)` };
    if (this.#slots.some((slot) => slot.process.ready)) return { ready: true, detail: `loaded, ${streams}` };
    if (this.#state === "loading") return { ready: false, detail: "loading" };
    if (this.#state === "failed") return { ready: false, detail: this.#failure };
    return { ready: false, detail: "not loaded yet; the first stream loads it" };
  }

  async close(): Promise<void> {
    this.#state = "closed";
    await Promise.all(this.#slots.map((slot) => slot.process.close()));
  }

  /** The process with the fewest streams that has room. */
  #freeSlot(): { readonly process: EngineProcess; streams: number } {
    const [least] = this.#slots.toSorted((a, b) => a.streams - b.streams);
    if (least === undefined || least.streams >= this.#perProcess) {
      throw new EngineError("capacity", `offline engine is at capacity (${this.#maxStreams} streams)`);
    }
    return least;
  }

  async #started<T>(starting: Promise<T>): Promise<T> {
    if (this.#state !== "closed" && this.#state !== "loaded") this.#state = "loading";
    try {
      const result = await starting;
      if (this.#state === "loading") this.#state = "loaded";
      return result;
    } catch (error) {
      if (this.#state === "loading") this.#state = "failed";
      this.#failure = error instanceof Error ? error.message : "unknown failure";
      throw asEngineError(error);
    }
  }
}

function releasing(stream: EngineStream, release: () => void): EngineStream {
  return {
    write: (samples) => stream.write(samples),
    finalize: () => stream.finalize(),
    end: () => stream.end().finally(release),
  };
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}

/** Concurrent callers share one attempt; a failed one is tried again by the next caller. */
function sharedAttempt<T>(attempt: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= attempt().finally(() => (running = undefined));
    return running;
  };
}

/** Abort reasons pass as they are; a model that cannot be had keeps its own words. */
function asEngineError(error: unknown): unknown {
  if (error instanceof EngineError || (error instanceof Error && error.name === "AbortError")) return error;
  const message = error instanceof Error ? error.message : "the offline engine cannot start";
  const hopeless = error instanceof ModelError && !error.retryable;
  return new EngineError(hopeless ? "internal" : "unavailable", message, { cause: error });
}
