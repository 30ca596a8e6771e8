/**
 * One channel of a session: resamples, feeds the engine, and when the engine fails opens it again, or another one in its
 * place, and replays the audio since the last boundary, on the same clock. It owns the retries; it knows nothing of the
 * database or the client. Its clock counts samples at the engine's rate from the first sample that it was given. Longer than
 * most files: sending, flushing and recovering work on the same positions.
 */
import { sleep } from "../../clock.ts";
import type { Clock } from "../../clock.ts";
import type { Resampler } from "../audio/resampler.ts";
import type { EngineChoice } from "../engines/engine-choice.ts";
import { EngineError } from "../engines/speech-engine.ts";
import type { EngineEvent, EngineStream, SpeechEngine } from "../engines/speech-engine.ts";
import { SessionError } from "../session-error.ts";
import { ForcedCut } from "./forced-cut.ts";
import { ReplayBuffer } from "./replay-buffer.ts";

export interface LaneOptions {
  readonly engines: EngineChoice;
  readonly resampler: Resampler;
  readonly languageCode: string;
  readonly interimResults: boolean;
  readonly keyterms: readonly string[];
  readonly diarize: boolean;
  readonly clock: Clock;
  /** Receives the engine's events, with positions on the lane's clock. */
  readonly onEvent: (event: EngineEvent, engine: SpeechEngine) => void;
  /** The engine failed and is opened again. */
  readonly onRestart: (error: EngineError) => void;
  /** The engine failed, and another one takes over. */
  readonly onChange: (engine: SpeechEngine, error: EngineError) => void;
  /** Every engine failed on this audio again and again; it is passed over. The boundary after it follows as an event. */
  readonly onGap: (startSample: number, endSample: number) => void;
  /** The engine failed for good. Nothing follows. */
  readonly onFailure: (error: SessionError) => void;
}

interface FlushRequest {
  readonly kind: "finalize" | "end";
  readonly done: PromiseWithResolvers<undefined>;
}

/** Audio that may wait for the engine before `write` makes the client wait, in milliseconds. */
const maxQueuedMs = 2_000;
/** A larger piece would only make a failure dearer. */
const maxPieceMs = 500;
/** Restarts in a row without a boundary in between; the waits before them add up to about 15 s. */
const maxRestarts = 6;
/** The same while there is another engine to turn to. */
const maxRestartsBeforeChange = 2;
/** Stretches of audio in a row that may be passed over because no engine survives them. */
const maxGaps = 2;
/** Failures that lie no farther apart are failures of the audio there. */
const samePlaceMs = 1_000;
/** Pieces are so small while a good place to cut is looked for, in milliseconds. */
const cuttingPieceMs = 40;
const firstBackoffMs = 250;
const maxBackoffMs = 5_000;

export class Lane {
  readonly #options: LaneOptions;
  readonly #buffer = new ReplayBuffer();
  readonly #closing = new AbortController();
  readonly #cut: ForcedCut;
  readonly #tried = new Set<SpeechEngine>();
  #engine: SpeechEngine;
  #stream: EngineStream | undefined;
  /** Discards the current engine stream. */
  #streamEnd = new AbortController();
  /** Lane position of the engine stream's sample 0. */
  #base = 0;
  #sent = 0;
  #boundary = 0;
  /** Where a new engine stream begins: behind every final that was delivered, and every boundary. */
  #restartAt = 0;
  #restarts = 0;
  /** Where streams failed since the last boundary. */
  #failures: number[] = [];
  /** One of them could not even be opened. */
  #isAway = false;
  #gaps = 0;
  #streamError: EngineError | undefined;
  /** In the order of their being asked for; the pump works on the first. */
  #flushes: FlushRequest[] = [];
  #ended: Promise<void> | undefined;
  #wakePump: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#cut = new ForcedCut(options.engines.sampleRateHz);
    this.#engine = options.engines.first(options.languageCode);
    this.#tried.add(this.#engine);
  }

  get engine(): SpeechEngine {
    return this.#engine;
  }

  /**
   * Opens a stream of the first engine that gives one. Rejects with SessionError `capacity`, `engine-unavailable` or
   * `unsupported`.
   */
  async open(): Promise<void> {
    for (;;) {
      try {
        await this.#openStream();
        break;
      } catch (error) {
        if (!this.#turnToAnother(error)) throw toSessionError(error);
      }
    }
    void this.#pump();
  }

  /** Takes samples at the client's rate; resolves when there is room for more. */
  async write(samples: Float32Array): Promise<void> {
    this.#buffer.append(this.#options.resampler.process(samples));
    this.#wakePump?.();
    const maxQueued = this.#samples(maxQueuedMs);
    while (this.#buffer.end - this.#sent > maxQueued && !this.#closing.signal.aborted) {
      await new Promise<void>((resolve) => (this.#wakeWriter = resolve));
    }
  }

  /** As EngineStream.finalize, for all audio so far. */
  finalize(): Promise<void> {
    return this.#requestFlush("finalize");
  }

  /** Turns all audio into finals, then releases the engine stream. Nothing may be written afterwards. Safe to repeat. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    if (!this.#closing.signal.aborted) this.#buffer.append(this.#options.resampler.flush());
    await this.#requestFlush("end");
    this.abort();
  }

  /** Releases everything at once; audio that was not recognised yet is not. Safe to call again. */
  abort(reason = new SessionError("internal", "the lane was closed")): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#streamEnd.abort();
    this.#options.resampler.release();
    for (const flush of this.#flushes) flush.done.reject(reason);
    this.#wakePump?.();
    this.#wakeWriter?.();
  }

  #requestFlush(kind: "finalize" | "end"): Promise<void> {
    const done = Promise.withResolvers<undefined>();
    done.promise.catch(() => undefined); // the caller has its own handle on it
    if (this.#closing.signal.aborted)
      return Promise.reject(new SessionError("internal", "the lane was closed"));
    this.#flushes.push({ kind, done });
    this.#wakePump?.();
    return done.promise;
  }

  async #pump(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        if (this.#streamError) throw this.#streamError;
        if (!this.#stream) await this.#openStream();
        else if (this.#sent < this.#buffer.end) await this.#sendPiece(this.#stream);
        else if (this.#flushes[0]) await this.#flushStream(this.#stream, this.#flushes[0]);
        else await new Promise<void>((resolve) => (this.#wakePump = resolve));
      } catch (error) {
        if (!(await this.#recover(error))) return;
      }
    }
  }

  async #openStream(): Promise<void> {
    this.#streamError = undefined;
    this.#streamEnd = new AbortController();
    const { signal } = this.#streamEnd;
    this.#base = this.#restartAt;
    this.#sent = this.#restartAt;
    const engine = this.#engine;
    const { languageCode, interimResults, keyterms, diarize } = this.#options;
    this.#stream = await engine.open(
      {
        language: languageCode,
        interimResults,
        keyterms,
        diarize,
        onEvent: (event) => {
          if (!signal.aborted) this.#deliver(shift(event, this.#base), engine);
        },
        onError: (error) => {
          if (signal.aborted) return;
          this.#streamError = error;
          this.#wakePump?.();
        },
      },
      signal,
    );
  }

  async #sendPiece(stream: EngineStream): Promise<void> {
    const mayCut = this.#engine.capabilities.longestSegmentMs === undefined;
    const isCutNear = mayCut && this.#cut.isNear(this.#sent - this.#restartAt);
    const piece = this.#buffer.read(this.#sent, this.#samples(isCutNear ? cuttingPieceMs : maxPieceMs));
    this.#sent += piece.length;
    await stream.write(piece);
    this.#wakeWriter?.();
    if (mayCut && this.#cut.take(piece, this.#sent - this.#restartAt)) await stream.finalize();
  }

  async #flushStream(stream: EngineStream, flush: FlushRequest): Promise<void> {
    await (flush.kind === "end" ? stream.end() : stream.finalize());
    this.#flushes = this.#flushes.filter((asked) => asked !== flush);
    flush.done.resolve(undefined);
    // Nothing is left to do for an ended stream; abort() follows.
    if (flush.kind === "end") await new Promise<void>((resolve) => (this.#wakePump = resolve));
  }

  #deliver(event: EngineEvent, engine: SpeechEngine): void {
    if (event.type === "boundary" && event.throughSample > this.#boundary) {
      this.#boundary = Math.min(event.throughSample, this.#buffer.end);
      this.#restartAt = Math.max(this.#restartAt, this.#boundary);
      this.#buffer.release(this.#boundary);
      this.#restarts = 0;
      this.#forgetFailures();
      this.#gaps = 0;
    }
    if (event.type === "final")
      this.#restartAt = Math.max(this.#restartAt, Math.min(event.endSample, this.#buffer.end));
    this.#options.onEvent(event, engine);
  }

  /** Whether the pump may go on. */
  async #recover(error: unknown): Promise<boolean> {
    if (this.#closing.signal.aborted) return false;
    this.#streamEnd.abort();
    if (this.#stream) this.#failures.push(this.#sent);
    else this.#isAway = true;
    this.#stream = undefined;
    this.#streamError = undefined;
    this.#restarts += 1;
    const isRetryable = error instanceof EngineError && error.retryable;
    if (!isRetryable || this.#restarts > this.#maxRestarts()) {
      if (this.#turnToAnother(error) || (isRetryable && this.#passOver())) return true;
      const failure = toSessionError(error, true);
      this.abort(failure);
      this.#options.onFailure(failure);
      return false;
    }
    if (this.#restarts === 1) this.#options.onRestart(error);
    const backoffMs =
      Math.min(maxBackoffMs, firstBackoffMs * 2 ** (this.#restarts - 1)) * (0.5 + Math.random() / 2);
    try {
      await sleep(this.#options.clock, backoffMs, this.#closing.signal);
      return true;
    } catch {
      return false; // closed while waiting
    }
  }

  #maxRestarts(): number {
    const another = this.#options.engines.after(this.#tried, this.#options.languageCode);
    return another ? maxRestartsBeforeChange : maxRestarts;
  }

  /** Whether another engine takes over. It begins where the failed one would have begun again. */
  #turnToAnother(error: unknown): boolean {
    if (!(error instanceof EngineError)) return false;
    const { engines, languageCode } = this.#options;
    const another = engines.after(this.#tried, languageCode);
    if (!another) return false;
    // What is wrong with what this client asks for is no reason to keep others away.
    if (error.code === "unavailable" || error.code === "capacity") engines.failed(this.#engine);
    this.#engine = another;
    this.#tried.add(another);
    this.#restarts = 0;
    this.#forgetFailures();
    this.#options.onChange(another, error);
    return true;
  }

  /**
   * Whether audio that no engine survives was given up, so that what follows it can be heard. It is to blame only when all
   * streams could be opened and failed at the same place, and not at the end of what there is: an engine that is away fails
   * anywhere, and the client still has the audio.
   */
  #passOver(): boolean {
    const through = Math.max(...this.#failures);
    const isOnePlace = through - Math.min(...this.#failures) <= this.#samples(samePlaceMs);
    const isWithin = through > this.#restartAt && this.#buffer.end - through >= this.#samples(maxPieceMs);
    if (this.#isAway || !isOnePlace || !isWithin || this.#gaps >= maxGaps) return false;
    this.#options.onGap(this.#restartAt, through);
    const gaps = this.#gaps + 1;
    this.#deliver({ type: "boundary", throughSample: through }, this.#engine);
    this.#gaps = gaps;
    return true;
  }

  #forgetFailures(): void {
    this.#failures = [];
    this.#isAway = false;
  }

  #samples(ms: number): number {
    return (this.#options.engines.sampleRateHz * ms) / 1000;
  }
}

function shift(event: EngineEvent, base: number): EngineEvent {
  if (base === 0) return event;
  switch (event.type) {
    case "speech":
      return { ...event, atSample: event.atSample + base };
    case "boundary":
      return { ...event, throughSample: event.throughSample + base };
    case "interim":
      return { ...event, startSample: event.startSample + base, words: event.words.map(shiftSpan(base)) };
    case "final":
      return {
        ...event,
        startSample: event.startSample + base,
        endSample: event.endSample + base,
        words: event.words.map(shiftSpan(base)),
        voiced: event.voiced.map(shiftSpan(base)),
      };
  }
}

const shiftSpan =
  (base: number) =>
  <T extends { readonly startSample: number; readonly endSample: number }>(span: T): T => ({
    ...span,
    startSample: span.startSample + base,
    endSample: span.endSample + base,
  });

/** `wasOpen`: what is asked for was served before, so it cannot be that. */
function toSessionError(error: unknown, wasOpen = false): SessionError {
  if (!(error instanceof EngineError)) return new SessionError("internal", "the speech engine failed", error);
  switch (error.code) {
    case "capacity":
      return new SessionError("capacity", error.message, error);
    case "unsupported":
      return wasOpen
        ? new SessionError("engine-unavailable", "the speech engine is unavailable; try again", error)
        : new SessionError("unsupported", error.message, error);
    case "unavailable":
      return new SessionError("engine-unavailable", "the speech engine is unavailable; try again", error);
    case "internal":
      return new SessionError("internal", "the speech engine failed", error);
  }
}
