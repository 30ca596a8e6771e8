/**
 * A speech engine that plays a script instead of listening: which events come is a function of how many samples were
 * written, so a test says exactly what is "heard" and when. It can stumble: refuse streams, fail in the middle, or hold
 * its writers back. It stands in for a real engine in tests of what is around one.
 */
import {
  EngineError,
  type EngineCapabilities,
  type EngineEvent,
  type EngineHealth,
  type EngineStream,
  type EngineStreamOptions,
  type SpeechEngine,
} from "../../src/transcription/engines/speech-engine.ts";

/** An event, and the number of written samples from which on it is due. */
export interface ScriptedEvent {
  readonly atSample: number;
  readonly event: EngineEvent;
}

export interface ScriptedEngineOptions {
  /** In order. `finalize` plays ahead what lies wholly within the written samples, without interims. */
  readonly script: readonly ScriptedEvent[];
  /** Default 16000. */
  readonly sampleRateHz?: number;
  readonly capabilities?: Partial<EngineCapabilities>;
  /** Streams that may be open at once. Default: no limit. */
  readonly maxStreams?: number;
  /** What `open` rejects with; asked at every call. */
  readonly failOpen?: () => EngineError | undefined;
  /** The stream fails once so many samples were written. */
  readonly failAt?: { readonly atSample: number; readonly error: EngineError };
  /** Awaited in every `write` after its events: a test holds writers back with it. */
  readonly beforeWriteSettles?: () => Promise<void>;
  /** Awaited in every `finalize` before its events. */
  readonly beforeFinalize?: () => Promise<void>;
}

export interface ScriptedEngine extends SpeechEngine {
  /** Streams open now. */
  readonly openStreams: number;
  /** Samples written to each stream ever opened, in the order of opening. */
  readonly writtenSamples: readonly number[];
  /** Fails every open stream now, as a killed process would. */
  failStreams(error: EngineError): void;
}

export function createScriptedEngine(options: ScriptedEngineOptions): ScriptedEngine {
  const streams = new Set<ScriptedStream>();
  const written: number[] = [];
  let closed = false;
  return {
    name: "scripted",
    sampleRateHz: options.sampleRateHz ?? 16_000,
    capabilities: {
      interimResults: true,
      wordTimes: "measured",
      confidence: false,
      fillers: "kept",
      languages: ["en"],
      ...(options.maxStreams === undefined ? {} : { maxStreams: options.maxStreams }),
      ...options.capabilities,
    },
    get openStreams() {
      return streams.size;
    },
    get writtenSamples() {
      return written;
    },
    async open(streamOptions, signal) {
      signal.throwIfAborted();
      const failure = options.failOpen?.();
      if (failure !== undefined) throw failure;
      if (closed) throw new EngineError("unavailable", "the scripted engine is closed");
      if (streams.size >= (options.maxStreams ?? Infinity)) {
        throw new EngineError("capacity", `scripted engine is at capacity (${streams.size} streams)`);
      }
      const index = written.push(0) - 1;
      const stream = new ScriptedStream(options, streamOptions, {
        onWritten: (samples) => (written[index] = samples),
        onOver: () => streams.delete(stream),
      });
      streams.add(stream);
      signal.addEventListener("abort", () => stream.abort(), { once: true });
      return stream;
    },
    health(): EngineHealth {
      return closed ? { ready: false, detail: "closed" } : { ready: true, detail: "scripted" };
    },
    failStreams(error) {
      for (const stream of [...streams]) stream.fail(error);
    },
    async close() {
      closed = true;
      for (const stream of [...streams])
        stream.fail(new EngineError("unavailable", "the scripted engine was closed"));
    },
  };
}

interface StreamHooks {
  readonly onWritten: (samples: number) => void;
  readonly onOver: () => void;
}

class ScriptedStream implements EngineStream {
  readonly #engine: ScriptedEngineOptions;
  readonly #options: EngineStreamOptions;
  readonly #hooks: StreamHooks;
  #next = 0;
  #written = 0;
  #boundary = -1;
  #over: EngineError | undefined;

  constructor(engine: ScriptedEngineOptions, options: EngineStreamOptions, hooks: StreamHooks) {
    this.#engine = engine;
    this.#options = options;
    this.#hooks = hooks;
  }

  async write(samples: Float32Array): Promise<void> {
    this.#throwIfOver();
    this.#written += samples.length;
    this.#hooks.onWritten(this.#written);
    const { failAt } = this.#engine;
    this.#play((scripted) => scripted.atSample <= Math.min(this.#written, failAt?.atSample ?? Infinity));
    if (failAt !== undefined && this.#written >= failAt.atSample) this.fail(failAt.error);
    await this.#engine.beforeWriteSettles?.();
    this.#throwIfOver();
  }

  async finalize(): Promise<void> {
    this.#throwIfOver();
    await this.#engine.beforeFinalize?.();
    this.#throwIfOver();
    this.#play(({ event }) => event.type === "interim" || lastSample(event) <= this.#written, {
      interims: false,
    });
    if (this.#boundary < this.#written) this.#emit({ type: "boundary", throughSample: this.#written });
  }

  async end(): Promise<void> {
    await this.finalize();
    this.#finish(new EngineError("internal", "the stream has ended"));
  }

  fail(error: EngineError): void {
    if (this.#over !== undefined) return;
    this.#finish(error);
    this.#options.onError(error);
  }

  abort(): void {
    if (this.#over === undefined) this.#finish(new EngineError("unavailable", "the stream was aborted"));
  }

  /** Plays events from the script's head as long as they are due; interims that are not wanted are passed over. */
  #play(
    due: (scripted: ScriptedEvent) => boolean,
    wanted = { interims: this.#options.interimResults },
  ): void {
    for (;;) {
      const scripted = this.#engine.script[this.#next];
      if (scripted === undefined || !due(scripted)) return;
      this.#next++;
      if (scripted.event.type === "interim" && !wanted.interims) continue;
      this.#emit(scripted.event);
    }
  }

  #emit(event: EngineEvent): void {
    if (this.#over !== undefined) return;
    if (event.type === "boundary") this.#boundary = event.throughSample;
    this.#options.onEvent(event);
  }

  #finish(error: EngineError): void {
    this.#over = error;
    this.#hooks.onOver();
  }

  #throwIfOver(): void {
    if (this.#over !== undefined) throw this.#over;
  }
}

/** The last sample that an event speaks of. */
function lastSample(event: EngineEvent): number {
  switch (event.type) {
    case "final":
      return event.endSample;
    case "boundary":
      return event.throughSample;
    case "speech":
      return event.atSample;
    case "interim":
      return event.startSample;
  }
}
