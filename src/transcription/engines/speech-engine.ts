/**
 * What a speech engine is to the rest of Parley: samples in, words out, on the engine stream's own clock.
 * An engine knows nothing of sessions, databases or peers. It does not retry: it fails, and the session decides.
 */

/** A speech engine, opened once per process and shared by all sessions. */
export interface SpeechEngine {
  /** Short stable name, as `SessionStarted.engine` shows it: "offline", "deepgram". */
  readonly name: string;
  readonly capabilities: EngineCapabilities;
  /** The one rate at which this engine takes audio, in Hz. */
  readonly sampleRateHz: number;
  /**
   * Opens a stream. Rejects with an EngineError: `capacity` when the engine has no room, `unavailable` when it cannot
   * work now. Aborting the signal discards the stream at once, without further events; that is not an error.
   */
  open(options: EngineStreamOptions, signal: AbortSignal): Promise<EngineStream>;
  /** Whether the engine can take a stream now, and if not, why, in words for an operator. */
  health(): EngineHealth;
  /** Releases processes and models. Open streams fail with `unavailable`. */
  close(): Promise<void>;
}

/** What an engine can do, as data, so that nobody asks for its name. */
export interface EngineCapabilities {
  readonly interimResults: boolean;
  /** `measured`: the model gives word times. `estimated`: they were inferred, and may be off by a tenth of a second. */
  readonly wordTimes: "measured" | "estimated";
  /** Whether words carry a confidence. */
  readonly confidence: boolean;
  /** `kept`: "um" and "uh" come through. `may-drop`: their absence proves nothing. */
  readonly fillers: "kept" | "may-drop";
  /** Languages in which fillers come through although they may be dropped in others. Default none. */
  readonly fillersKeptIn?: readonly string[];
  /** BCP 47 language tags it understands. */
  readonly languages: readonly string[];
  /** No final covers more, in milliseconds; absent when that is not known: then the session asks for finals in time. */
  readonly longestSegmentMs?: number;
  /** Streams it can serve at once; absent when it has no limit of its own. */
  readonly maxStreams?: number;
}

/** Whether fillers can be counted in a stream of this language, a BCP 47 tag. */
export function keepsFillers(
  capabilities: Pick<EngineCapabilities, "fillers" | "fillersKeptIn">,
  language: string,
): boolean {
  const [primary] = language.toLowerCase().split("-");
  return (
    capabilities.fillers === "kept" ||
    (capabilities.fillersKeptIn ?? []).some((kept) => kept.toLowerCase() === primary)
  );
}

export interface EngineHealth {
  readonly ready: boolean;
  readonly detail: string;
}

export interface EngineStreamOptions {
  /** BCP 47 tag, one of the engine's languages. */
  readonly language: string;
  /** Whether interim results are wanted; an engine may still skip them under load. */
  readonly interimResults: boolean;
  /** Words that are likely, such as names. An engine that cannot use them ignores them. Default none. */
  readonly keyterms?: readonly string[];
  /** Whether to tell speakers within the channel apart. An engine that cannot ignores it. Default false. */
  readonly diarize?: boolean;
  /** Receives events in order, never after the stream has ended, failed or been aborted. Must not throw. */
  readonly onEvent: (event: EngineEvent) => void;
  /** Called at most once, when the stream can do no more work. Nothing follows. */
  readonly onError: (error: EngineError) => void;
}

export interface EngineStream {
  /**
   * Takes mono samples in [-1, 1] at the engine's rate. Resolves when there is room for more (backpressure), which says
   * nothing of them being recognised. Rejects with the stream's EngineError after a failure. Not to be called again
   * before it has settled. The array must not be changed afterwards.
   */
  write(samples: Float32Array): Promise<void>;
  /**
   * Turns what was written so far into finals. Resolves after their events, and the boundary, were delivered. Where
   * nobody speaks at the end, the boundary is then the end of what was written; where a word is being spoken there, or
   * may just be beginning, the engine may keep back less than the last second for the next final.
   */
  finalize(): Promise<void>;
  /** Turns everything into finals, also what `finalize` would keep back, then releases the stream. */
  end(): Promise<void>;
}

/** All positions are samples at the engine's rate, counted from the first sample written to this stream. */
export type EngineEvent =
  | { readonly type: "speech"; readonly state: "started" | "ended"; readonly atSample: number }
  | {
      readonly type: "interim";
      readonly startSample: number;
      readonly text: string;
      readonly words: readonly EngineWord[];
    }
  | {
      /** Words that will not change. Finals are in order and do not overlap. The text is never empty. */
      readonly type: "final";
      readonly startSample: number;
      readonly endSample: number;
      readonly text: string;
      readonly words: readonly EngineWord[];
      /** Where there is voice within the final, ascending, not overlapping. */
      readonly voiced: readonly SampleSpan[];
    }
  | {
      /** Every word spoken before this sample is in a final already delivered, or there was no speech. Ascending. */
      readonly type: "boundary";
      readonly throughSample: number;
    };

export interface EngineWord {
  /** As written, with case and punctuation. */
  readonly text: string;
  readonly startSample: number;
  readonly endSample: number;
  /** 0 to 1; absent when the engine has none. */
  readonly confidence?: number;
  /** Speaker within the channel, from 0, where the engine tells them apart. */
  readonly speaker?: number;
}

export interface SampleSpan {
  readonly startSample: number;
  readonly endSample: number;
}

export type EngineErrorCode =
  /** No room for another stream. */
  | "capacity"
  /** The engine, its process or its vendor is gone; another stream may work. */
  | "unavailable"
  /** The engine cannot do what was asked, such as a language it does not know. */
  | "unsupported"
  /** A defect, or a model that cannot be loaded. */
  | "internal";

export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: EngineErrorCode;
  /** Whether opening a new stream and writing the same audio again may succeed. */
  readonly retryable: boolean;

  constructor(code: EngineErrorCode, message: string, options?: { cause?: unknown; retryable?: boolean }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options?.retryable ?? (code === "unavailable" || code === "capacity");
  }
}
