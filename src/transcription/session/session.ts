/**
 * One live stream of a session: audio in, events out. It owns the session clock, and the order that makes an
 * acknowledgement true: engine, then database, then client. It knows no wire format and no vendor. Longer than most
 * files: opening, hearing, completing and breaking off share one state, and an order between them that has to be seen at
 * once.
 */
import { bytesPerFrame } from "../audio/audio-format.ts";
import { checkPlace, countFrames } from "../audio/check-audio.ts";
import { decodeAudio } from "../audio/decode-audio.ts";
import type { SpeechEngine } from "../engines/speech-engine.ts";
import { SessionError } from "../session-error.ts";
import type { AudioGap, SessionCommit, SessionEndReason, StoredSegment } from "../session-store.ts";
import { Committer } from "./committer.ts";
import { asSessionError, endReasonOf } from "./end-reason.ts";
import { engineRecord } from "./engine-record.ts";
import type { EventQueue } from "./event-queue.ts";
import { finalEvent } from "./lane-captions.ts";
import { Lanes } from "./lanes.ts";
import { NumberedEvents } from "./numbered-events.ts";
import { Pacer } from "./pacer.ts";
import type { SessionEvent, WarningCode } from "./session-events.ts";
import type {
  ContinuedSession,
  SessionDependencies,
  SessionOptions,
  Speaker,
  StreamToken,
} from "./session-options.ts";
import { SessionRecord } from "./session-record.ts";
import { SessionWords } from "./session-words.ts";
import { TokenTimer } from "./token-timer.ts";
import { withinTime } from "./within-time.ts";

/** Audio that may be unacknowledged before the client has to wait, in ms: with the largest chunk, 8 s, it makes 30 s. */
const maxUnacknowledgedMs = 21_800;
/** What a broken session may take to bring its last words in safety, in milliseconds. */
const closingMs = 15_000;
const minDeliveryIntervalMs = 1_000;

/** Words that were heard after the stream broke. Its client will say them again, unless it never comes back. */
export interface LastWords {
  readonly epoch: number;
  readonly commit: SessionCommit;
  readonly durationMs: number;
  readonly reason: SessionEndReason;
  /** Of the segment that would have come next. */
  readonly nextSegmentIndex: number;
  readonly nextFinalNumber: number;
}

export class Session {
  readonly sessionId: string;
  readonly epoch: number;
  /** The number of the first event. */
  readonly firstSequence: number;
  readonly #options: SessionOptions;
  readonly #dependencies: SessionDependencies;
  readonly #continued: ContinuedSession | undefined;
  readonly #createTime: Date;
  readonly #words: SessionWords;
  readonly #events: NumberedEvents;
  readonly #record: SessionRecord;
  readonly #lanes: Lanes;
  readonly #committer: Committer;
  readonly #tokenTimer: TokenTimer;
  readonly #deliveryPacer: Pacer;
  readonly #closed = Promise.withResolvers<undefined>();
  #token: StreamToken;
  /** Place of the next sample that the client sends. */
  #position: number;
  #acknowledged: number;
  /** No audio has come yet on this stream. */
  #isFirstChunk = true;
  #isOpen = false;
  #closing = false;
  /** Why the session is not complete though its client half-closed: it left, or the server stops, or the like. */
  #interruption: SessionError | undefined;
  #cancelDeadline: (() => void) | undefined;
  #finalizedThrough = -Infinity;
  #wakeWriter: (() => void) | undefined;
  /** Finals that came after the stream broke; undefined before. */
  #heldBack: { readonly segments: StoredSegment[]; readonly gaps: AudioGap[] } | undefined;
  #heardThrough: number;
  #lastWords: LastWords | undefined;

  private constructor(
    options: SessionOptions,
    dependencies: SessionDependencies,
    continued: ContinuedSession | undefined,
  ) {
    const { clock, store } = dependencies;
    this.sessionId = options.sessionId;
    this.epoch = continued?.epoch ?? 1;
    this.firstSequence = (continued?.sequence ?? 0) + 1;
    this.#options = options;
    this.#dependencies = dependencies;
    this.#continued = continued;
    this.#createTime = continued?.createTime ?? new Date(clock.now());
    this.#words = new SessionWords(continued);
    this.#token = options.token;
    this.#position = continued?.committedThrough ?? 0;
    this.#acknowledged = this.#position;
    this.#heardThrough = this.#position;
    this.#record = new SessionRecord(options, dependencies, this.epoch);
    this.#events = new NumberedEvents({
      clock,
      firstSequence: this.firstSequence,
      maxUnreadBytes: dependencies.limits.maxUnreadBytes,
      onOverflow: () => {
        const error = new SessionError(
          "reader-stalled",
          `more than ${Math.floor(dependencies.limits.maxUnreadBytes / 1024)} KiB of events were not read ` +
            "(MAX_UNREAD_KIB); read them, and resume",
        );
        this.fail(error);
        return error;
      },
      onSilence: () => this.#pushAck(),
      onFewNumbers: () => this.#committer.request(),
    });
    this.#committer = new Committer({
      store,
      sessionId: options.sessionId,
      epoch: this.epoch,
      clock,
      minAdvanceSamples: options.format.sampleRateHz,
      committedThrough: this.#position,
      describe: () => this.#describeCommit(),
      onCommitted: (commit) => this.#committed(commit),
      onSlow: () => this.#warn("storage-slow", "the database does not answer; acknowledgements wait"),
      onFailure: (error) => this.fail(error),
    });
    this.#lanes = this.#createLanes();
    this.#deliveryPacer = new Pacer(
      clock,
      // Measuring takes longer the more was said; in a long session the figures move more slowly too.
      () => Math.max(minDeliveryIntervalMs, this.#words.wordCount),
      () => this.#pushDelivery(),
    );
    this.#tokenTimer = new TokenTimer({
      clock,
      onExpiring: (deadline) =>
        this.#warn(
          "token-expiring",
          "the token expires soon; send reauthenticate with a fresh one",
          deadline,
        ),
      onExpired: () => this.fail(new SessionError("token-expired", "the token expired")),
    });
  }

  /**
   * Opens the engine, then writes the session, unless an earlier stream did. Rejects with a SessionError, and then leaves
   * nothing behind but, where it is continued, the session as it was.
   */
  static async open(
    options: SessionOptions,
    dependencies: SessionDependencies,
    continued?: ContinuedSession,
  ): Promise<Session> {
    const session = new Session(options, dependencies, continued);
    try {
      await session.#open();
      return session;
    } catch (error) {
      if (continued)
        await session.#attempt("a session was not called interrupted", () =>
          session.#writeInterruption(asSessionError(error)),
        );
      session.#release();
      throw error;
    }
  }

  get events(): EventQueue<SessionEvent> {
    return this.#events.queue;
  }

  /** Audio received, in milliseconds. */
  get durationMs(): number {
    return this.#toMs(Math.max(this.#position, this.#acknowledged));
  }

  get token(): StreamToken {
    return this.#token;
  }

  get speaker(): Speaker {
    const { userId, roomName, participantIdentity } = this.#options;
    return { userId, roomName, participantIdentity };
  }

  /** Whether it has broken off; what is still done for it is not for long. */
  get isBroken(): boolean {
    return this.#interruption !== undefined;
  }

  /** Resolves when the stream has ended and everything that could be saved is. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Once closed: what was heard and is neither committed nor needed, should the client come back. */
  get lastWords(): LastWords | undefined {
    return this.#lastWords;
  }

  /**
   * Takes audio whose first sample is number `firstSample` of its channel. Resolves when there is room for more. Rejects
   * with SessionError `invalid` when it does not follow on what came before or does not hold whole samples, and with
   * `limit` when it is more than a session may hold.
   */
  async audio(firstSample: number, data: Uint8Array): Promise<void> {
    if (this.#closing) return;
    const { format } = this.#options;
    const frames = countFrames(data, format);
    if (!this.#continued || !this.#isFirstChunk) checkPlace(firstSample, this.#position);
    this.#checkLimits(firstSample + frames);
    if (this.#isFirstChunk) this.#beginAt(firstSample);
    const channels = decodeAudio(data, format);
    this.#position = firstSample + frames;
    await this.#lanes.write(firstSample, channels);
    const maxUnacknowledged = (format.sampleRateHz * maxUnacknowledgedMs) / 1000;
    while (this.#position - this.#acknowledged > maxUnacknowledged && !this.#isClosing()) {
      await new Promise<void>((resolve) => (this.#wakeWriter = resolve));
    }
  }

  /**
   * Turns what was said so far into finals, and commits and acknowledges them; a word that is being spoken waits for the
   * next. Does nothing within a second of audio after the time before: each time costs the engine work.
   */
  async finalize(): Promise<void> {
    if (this.#closing || this.#position - this.#finalizedThrough < this.#options.format.sampleRateHz) return;
    this.#finalizedThrough = this.#position;
    await this.#lanes.finalize();
    await this.#committer.flush();
  }

  /** The client is there; so are we. */
  keepAlive(): void {
    if (!this.#closing) this.#pushAck();
  }

  /** The token was replaced. */
  reauthenticated(token: StreamToken): void {
    if (this.#closing) return;
    this.#token = token;
    this.#tokenTimer.set(token.expireTime);
  }

  /** Says that the server will end the stream at the deadline. */
  announceStop(deadline: Date): void {
    this.#warn(
      "server-stopping",
      "the server is shutting down; resume on another replica, or when it is back",
      deadline,
    );
  }

  /** The client has said everything: last finals, last figures, the summary, the end. Never rejects. */
  async complete(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    try {
      await this.#lanes.end();
      // All audio was heard: also the fraction of a sample that resampling leaves over.
      this.#committer.advance(this.#position);
      await this.#committer.flush();
      this.#throwIfInterrupted();
      const interviewId = this.#options.analyzeOnEnd ? await this.#record.queueAnalysis() : undefined;
      this.#throwIfInterrupted();
      await this.#record.end("completed", this.durationMs, interviewId);
      this.#deliveryPacer.clear();
      this.#pushDelivery();
      this.#pushSummary(interviewId);
      this.#events.end();
      this.#release();
    } catch (error) {
      const failure = this.#interruption ?? asSessionError(error);
      if (!this.#interruption) this.#report("the session could not be completed", error);
      this.#interruption = failure;
      await this.#breakOff(failure);
    }
  }

  /**
   * Ends the stream before the session is complete. What is final is committed. What the client did wrong ends the session
   * too, and before a server stops all that was heard is committed; otherwise a stream that continues the session will
   * hear the rest again, from a pause rather than from the middle of a word.
   */
  fail(error: SessionError): void {
    if (error.code === "superseded" && this.#isOpen) {
      this.#interruption = error;
      this.#events.end(error);
      this.#release();
      return;
    }
    if (this.#interruption) return;
    this.#interruption = error;
    if (!this.#isOpen) return; // whoever opens it looks
    if (!this.#closing) {
      this.#closing = true;
      this.#wakeWriter?.();
      void this.#breakOff(error);
      return;
    }
    if (error.code === "token-expired") this.#events.end(error); // nobody may hear what is still to come
    // The session is being completed, which takes as long as the engine and the database take; no longer now.
    this.#cancelDeadline = this.#dependencies.clock.after(closingMs, () => {
      this.#record.giveUp();
      this.#committer.close();
      this.#lanes.abort();
    });
  }

  #throwIfInterrupted(): void {
    if (this.#interruption) throw this.#interruption;
  }

  #createLanes(): Lanes {
    const { engines, clock } = this.#dependencies;
    const { format, languageCode, interimResults, keyterms, diarize } = this.#options;
    return new Lanes({
      engines,
      clock,
      format,
      languageCode,
      interimResults,
      keyterms,
      diarize,
      // A final may be committed before the boundary after it is; its audio must not be heard twice.
      startSamples: Array.from({ length: format.channelCount }, (_, channel) =>
        Math.max(this.#position, this.#words.endOf(channel)),
      ),
      nextSegmentIndex: this.#words.nextSegmentIndex,
      nextFinalNumber: this.#words.nextFinalNumber,
      onEvent: (event) => this.#push(event),
      onFinal: (segment) => {
        if (this.#heldBack) this.#heldBack.segments.push(segment);
        else this.#committer.add(segment);
      },
      onHeard: (through) => this.#heard(through),
      onGap: (gap) => {
        if (this.#heldBack) this.#heldBack.gaps.push(gap);
        else this.#committer.addGap(gap);
      },
      onRestart: (error) => {
        this.#report("the speech engine failed and is restarted", error);
        this.#warn("engine-restarted", "the speech engine was restarted; captions may be late");
      },
      onChange: (engine, error) => this.#onEngineChange(engine, error),
      onFailure: (error) => this.fail(error),
    });
  }

  async #open(): Promise<void> {
    await this.#lanes.open();
    this.#throwIfInterrupted();
    const current = this.#lanes.engine;
    this.#words.addEngine(current);
    if (!this.#continued) await this.#record.create(current, this.#createTime, this.#events.ceiling);
    this.#isOpen = true;
    if (this.#interruption) {
      if (!this.#continued) await this.#writeInterruption(this.#interruption);
      throw this.#interruption;
    }
    const started: SessionEvent = {
      type: "started",
      sessionId: this.sessionId,
      resumeToken: this.#options.resumeToken,
      nextSample: this.#position,
      epoch: this.epoch,
      engine: current.engine,
      wordTimes: current.wordTimes,
      fillersDetectable: this.#words.engine?.fillers === "kept",
      createTime: this.#createTime,
      tokenExpireTime: this.#token.expireTime,
    };
    const missed = this.#words.after(this.#continued?.finalsReceived ?? Infinity);
    this.#events.start([started, ...missed.map((segment) => finalEvent(segment, 0))]);
    this.#tokenTimer.set(this.#token.expireTime);
  }

  /** The first chunk says where the client's audio begins. */
  #beginAt(firstSample: number): void {
    this.#isFirstChunk = false;
    if (firstSample <= this.#position) return;
    this.#committer.addGap({ firstSample: this.#position, endSample: firstSample, reason: "client-dropped" });
    this.#position = firstSample;
    this.#lanes.beginAt(firstSample);
  }

  #checkLimits(endSample: number): void {
    const { maxDurationMs, maxAudioBytes } = this.#dependencies.limits;
    const { format } = this.#options;
    if ((endSample * 1000) / format.sampleRateHz > maxDurationMs) {
      throw new SessionError(
        "limit",
        `the session would be longer than ${maxDurationMs / 3_600_000} hours of audio (MAX_SESSION_HOURS); open a new one`,
      );
    }
    if (endSample * bytesPerFrame(format) > maxAudioBytes) {
      throw new SessionError(
        "limit",
        `the session would hold more than ${Math.floor(maxAudioBytes / 1024 ** 2)} MiB of audio ` +
          "(MAX_SESSION_MEGABYTES); open a new one",
      );
    }
  }

  #heard(through: number): void {
    this.#heardThrough = Math.max(this.#heardThrough, Math.min(through, this.#position));
    if (!this.#heldBack) this.#committer.advance(this.#heardThrough);
  }

  #onEngineChange(engine: SpeechEngine, error: Error): void {
    this.#report("the speech engine failed and another takes over", error);
    if (!this.#isOpen) return; // nobody was told of the other one
    this.#words.addEngine(engineRecord([engine], this.#options.languageCode));
    this.#warn("engine-changed", `the speech engine was replaced by "${engine.name}"; captions may be late`);
  }

  #describeCommit(): Pick<SessionCommit, "sequenceCeiling" | "engine"> {
    return {
      sequenceCeiling: this.#events.raiseCeiling(),
      ...(this.#words.engine === undefined ? {} : { engine: this.#words.engine }),
    };
  }

  /** The one place where anything is acknowledged. */
  #committed({ segments, gaps = [], committedThrough }: SessionCommit): void {
    for (const gap of gaps) {
      this.#words.addGap(gap);
      this.#push({ type: "gap", ...gap });
    }
    for (const segment of segments) {
      this.#words.addSegment(segment);
      const event = this.#lanes.finalEvent(segment);
      if (event) this.#push(event);
    }
    if (committedThrough > this.#acknowledged) {
      this.#acknowledged = committedThrough;
      this.#pushAck();
      this.#wakeWriter?.();
    }
    if (segments.length > 0 && !this.#closing) this.#deliveryPacer.ask();
  }

  #push(event: SessionEvent): void {
    this.#events.push(event);
    if (this.#interruption) return; // what it would tell others now, its client brings about again
    const { roomName, participantIdentity } = this.#options;
    this.#dependencies.onEvent?.({ sessionId: this.sessionId, roomName, participantIdentity }, event);
  }

  #pushAck(): void {
    const throughSample = this.#acknowledged;
    this.#push({ type: "ack", throughSample, throughMs: this.#toMs(throughSample) });
  }

  #pushDelivery(): void {
    this.#push({ type: "delivery", figures: this.#words.takeFigures(this.durationMs) });
  }

  #pushSummary(interviewId?: string): void {
    const { sessionId, durationMs } = this;
    const session = { sessionId, durationMs, ...(interviewId === undefined ? {} : { interviewId }) };
    this.#push({ type: "summary", summary: this.#words.summarize(session) });
  }

  async #breakOff(error: SessionError): Promise<void> {
    if (error.code === "superseded") {
      this.#events.end(error);
      this.#release();
      return;
    }
    const hearsAll = error.isFinal || error.code === "stopping";
    if (hearsAll)
      await this.#attempt("the last audio of a broken stream was not heard", () => this.#lanes.end());
    else this.#holdBack(error);
    await this.#attempt("words of a broken stream were not committed", () => this.#committer.flush());
    this.#events.end(error);
    await this.#attempt("the session's end was not written", () =>
      error.isFinal ? this.#record.end(endReasonOf(error), this.durationMs) : this.#writeInterruption(error),
    );
    if (this.#heldBack) {
      await this.#attempt("the last audio of a broken stream was not heard", () => this.#lanes.end());
      this.#keepLastWords(error);
    }
    this.#release();
  }

  /** From here on nothing is committed but what is final already; the client need not wait for that. */
  #holdBack(error: SessionError): void {
    this.#heldBack = { segments: [], gaps: [] };
    this.#events.end(error);
  }

  /** All that was heard, what the database did not take before the break included: the position covers that too. */
  #keepLastWords(error: SessionError): void {
    if (this.#isSuperseded()) return;
    const { segments, gaps } = this.#committer.uncommitted;
    this.#lastWords = {
      epoch: this.epoch,
      commit: {
        segments: [...segments, ...(this.#heldBack?.segments ?? [])],
        gaps: [...gaps, ...(this.#heldBack?.gaps ?? [])],
        committedThrough: this.#heardThrough,
        ...this.#describeCommit(),
      },
      durationMs: this.durationMs,
      reason: endReasonOf(error),
      nextSegmentIndex: this.#lanes.nextSegmentIndex,
      nextFinalNumber: this.#lanes.nextFinalNumber,
    };
  }

  /** What cannot be done in time is not done; the log says so. */
  async #attempt(failure: string, work: () => Promise<unknown>): Promise<void> {
    if (this.#isSuperseded()) return;
    try {
      await withinTime(this.#dependencies.clock, closingMs, work());
    } catch (cause) {
      if (!this.#isSuperseded()) this.#report(failure, cause);
    }
  }

  #writeInterruption(error: SessionError): Promise<void> {
    return this.#record.interrupt(error, this.durationMs, this.#events.sequence);
  }

  /** Nothing is said before SessionStarted. */
  #warn(code: WarningCode, message: string, deadline?: Date): void {
    if (!this.#isOpen) return;
    this.#push({ type: "warning", code, message, ...(deadline === undefined ? {} : { deadline }) });
  }

  #report(message: string, error: unknown): void {
    this.#dependencies.onProblem(this.sessionId, message, error);
  }

  #release(): void {
    this.#closing = true;
    this.#cancelDeadline?.();
    this.#record.giveUp();
    this.#lanes.abort();
    this.#committer.close();
    this.#tokenTimer.clear();
    this.#deliveryPacer.clear();
    this.#wakeWriter?.();
    this.#closed.resolve(undefined);
  }

  #isSuperseded(): boolean {
    return this.#interruption?.code === "superseded";
  }

  #isClosing(): boolean {
    return this.#closing;
  }

  #toMs(samples: number): number {
    return Math.floor((samples * 1000) / this.#options.format.sampleRateHz);
  }
}
