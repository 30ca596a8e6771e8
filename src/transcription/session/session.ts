/**
 * One live session: audio in, events out. It owns the session clock, the numbering of segments, and the order that makes
 * an acknowledgement true: engine, then database, then client. It knows no wire format and no vendor. Longer than most
 * files: opening, hearing, completing and failing share one state, and an order between them that has to be seen at once.
 */
import { randomUUID } from "node:crypto";
import { sleep } from "../../clock.ts";
import { checkAudio } from "../audio/check-audio.ts";
import { decodeAudio } from "../audio/decode-audio.ts";
import { createResampler } from "../audio/resampler.ts";
import type { EngineEvent } from "../engines/speech-engine.ts";
import { SessionError } from "../session-error.ts";
import type { SessionEndReason, StoredSegment } from "../session-store.ts";
import { Committer, retryWhileUnavailable } from "./committer.ts";
import { asSessionError, endReasonOf } from "./end-reason.ts";
import { EventQueue } from "./event-queue.ts";
import { LaneCaptions } from "./lane-captions.ts";
import { Lane } from "./lane.ts";
import { Pacer } from "./pacer.ts";
import { estimateBytes, takeSnapshot } from "./session-events.ts";
import type { SessionEvent, WarningCode } from "./session-events.ts";
import type { SessionDependencies, SessionOptions } from "./session-options.ts";
import { measureSegments, summarize } from "./summarize.ts";
import { TokenTimer } from "./token-timer.ts";

/** Unread events that a client may pile up before its stream is ended. */
const maxUnreadBytes = 256 * 1024;
/** Audio that may be unacknowledged before the client has to wait, in ms: with the largest chunk, 8 s, it makes 30 s. */
const maxUnacknowledgedMs = 22_000;
/** What a broken session may take to bring its last words in safety, in milliseconds. */
const closingMs = 15_000;
const minDeliveryIntervalMs = 1_000;
const epoch = 1;

export class Session {
  readonly events: EventQueue<SessionEvent>;
  readonly sessionId: string;
  readonly #options: SessionOptions;
  readonly #dependencies: SessionDependencies;
  readonly #createTime: Date;
  readonly #committer: Committer;
  readonly #tokenTimer: TokenTimer;
  readonly #deliveryPacer: Pacer;
  readonly #closed = Promise.withResolvers<undefined>();
  #lanes: Lane[] = [];
  #captions: LaneCaptions[] = [];
  #segments: StoredSegment[] = [];
  #nextSegmentIndex = 0;
  #received = 0;
  #acknowledged = 0;
  #isOpen = false;
  #closing = false;
  /** Why the session is not complete though its client half-closed: it left, or the server stops, or the like. */
  #interruption: SessionError | undefined;
  #cancelDeadline: (() => void) | undefined;
  /** Gives up on the database. */
  readonly #giveUp = new AbortController();
  #finalizedThrough = -Infinity;
  #wordCount = 0;
  #wakeWriter: (() => void) | undefined;

  private constructor(options: SessionOptions, dependencies: SessionDependencies) {
    this.sessionId = options.sessionId;
    this.#options = options;
    this.#dependencies = dependencies;
    this.#createTime = new Date(dependencies.clock.now());
    this.events = new EventQueue<SessionEvent>({
      maxBytes: maxUnreadBytes,
      sizeOf: estimateBytes,
      onOverflow: () => {
        const error = new SessionError("reader-stalled", "events were not read; read them, and start again");
        this.fail(error);
        return error;
      },
    });
    this.#committer = new Committer({
      store: dependencies.store,
      sessionId: options.sessionId,
      epoch,
      clock: dependencies.clock,
      minAdvanceSamples: options.format.sampleRateHz,
      onCommitted: (segments, through) => this.#committed(segments, through),
      onSlow: () => {
        this.#warn("storage-slow", "the database does not answer; acknowledgements wait");
      },
      onFailure: (error) => this.fail(error),
    });
    this.#deliveryPacer = new Pacer(
      dependencies.clock,
      () => this.#deliveryIntervalMs(),
      () => this.#pushDelivery(),
    );
    this.#tokenTimer = new TokenTimer({
      clock: dependencies.clock,
      onExpiring: (deadline) => {
        this.#warn(
          "token-expiring",
          "the token expires soon; send reauthenticate with a fresh one",
          deadline,
        );
      },
      onExpired: () => this.fail(new SessionError("token-expired", "the token expired")),
    });
  }

  /** Opens the engine, then writes the session. Rejects with a SessionError, and then leaves nothing behind. */
  static async open(options: SessionOptions, dependencies: SessionDependencies): Promise<Session> {
    const session = new Session(options, dependencies);
    try {
      await session.#open();
      return session;
    } catch (error) {
      session.#release();
      throw error;
    }
  }

  /** Audio received, in milliseconds. */
  get durationMs(): number {
    return this.#toMs(this.#received);
  }

  /** Resolves when the session has ended and everything that could be saved is. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /**
   * Takes audio whose first sample is number `firstSample` of its channel. Resolves when there is room for more. Rejects
   * with SessionError `invalid` when it does not follow on what came before or does not hold whole samples.
   */
  async audio(firstSample: number, data: Uint8Array): Promise<void> {
    if (this.#closing) return;
    const frames = checkAudio(data, firstSample, this.#received, this.#options.format);
    const channels = decodeAudio(data, this.#options.format);
    this.#received += frames;
    await Promise.all(
      this.#lanes.map((lane, index) => lane.write(channels[index] ?? new Float32Array(frames))),
    );
    const maxUnacknowledged = (this.#options.format.sampleRateHz * maxUnacknowledgedMs) / 1000;
    while (this.#received - this.#acknowledged > maxUnacknowledged && !this.#isClosing()) {
      await new Promise<void>((resolve) => (this.#wakeWriter = resolve));
    }
  }

  /**
   * Turns all audio so far into finals, and commits and acknowledges them. Does nothing within a second of audio after
   * the time before: pieces that short are not heard as words.
   */
  async finalize(): Promise<void> {
    if (this.#closing || this.#received - this.#finalizedThrough < this.#options.format.sampleRateHz) return;
    this.#finalizedThrough = this.#received;
    await Promise.all(this.#lanes.map((lane) => lane.finalize()));
    await this.#committer.flush();
  }

  /** The token was replaced by one that is good until then. */
  reauthenticated(expireTime: Date): void {
    if (!this.#closing) this.#tokenTimer.set(expireTime);
  }

  /** Says that the server will end the session at the deadline. */
  announceStop(deadline: Date): void {
    this.#warn("server-stopping", "the server is shutting down; finish before the deadline", deadline);
  }

  /** The client has said everything: last finals, last figures, the summary, the end. Never rejects. */
  async complete(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    try {
      await Promise.all(this.#lanes.map((lane) => lane.end()));
      // All audio was heard: also the fraction of a sample that resampling leaves over.
      this.#committer.advance(this.#received);
      await this.#committer.flush();
      this.#throwIfInterrupted();
      const interviewId = this.#options.analyzeOnEnd ? await this.#queueAnalysis() : undefined;
      this.#throwIfInterrupted();
      await this.#writeEnd("completed", interviewId);
      this.#deliveryPacer.clear();
      this.#pushDelivery();
      this.events.push({ type: "summary", summary: summarize(this.#describe(interviewId), this.#segments) });
      this.events.end();
      this.#release();
    } catch (error) {
      const failure = this.#interruption ?? asSessionError(error);
      if (!this.#interruption) this.#report("the session could not be completed", error);
      await this.#bringInSafety(failure);
    }
  }

  /**
   * Ends the session for a reason other than its being complete. What was said so far is turned into finals and
   * committed, as far as that is possible in a few seconds; then the client gets the error.
   */
  fail(error: SessionError): void {
    if (this.#interruption) return;
    this.#interruption = error;
    if (!this.#isOpen) return; // whoever opens it looks
    if (!this.#closing) {
      this.#closing = true;
      this.#wakeWriter?.();
      void this.#bringInSafety(error);
      return;
    }
    // The session is being completed, which takes as long as the engine and the database take; no longer now.
    this.#cancelDeadline = this.#dependencies.clock.after(closingMs, () => {
      this.#giveUp.abort();
      this.#committer.close();
      for (const lane of this.#lanes) lane.abort();
    });
  }

  #throwIfInterrupted(): void {
    if (this.#interruption) throw this.#interruption;
  }

  async #open(): Promise<void> {
    const { format, languageCode, interimResults } = this.#options;
    const { engine, clock, store } = this.#dependencies;
    for (let channel = 0; channel < format.channelCount; channel++) {
      const captions = new LaneCaptions({
        channel,
        wordTimes: engine.capabilities.wordTimes,
        engineRateHz: engine.sampleRateHz,
        clientRateHz: format.sampleRateHz,
        takeSegmentIndex: () => this.#nextSegmentIndex++,
      });
      const lane = new Lane({
        engine,
        resampler: await createResampler(format.sampleRateHz, engine.sampleRateHz),
        languageCode,
        interimResults,
        clock,
        onEvent: (event) => this.#onEngineEvent(captions, event),
        onRestart: (error) => {
          this.#report("the speech engine failed and is restarted", error);
          this.#warn("engine-restarted", "the speech engine was restarted; captions may be late");
        },
        onFailure: (error) => this.fail(error),
      });
      this.#lanes.push(lane);
      this.#captions.push(captions);
      await lane.open();
      this.#throwIfInterrupted();
    }
    const { capabilities, name } = engine;
    const { sessionId, roomName, participantIdentity, userId, tokenExpireTime } = this.#options;
    await store.create({
      sessionId,
      roomName,
      participantIdentity,
      userId,
      sampleRateHz: format.sampleRateHz,
      channelCount: format.channelCount,
      languageCode,
      engine: name,
      wordTimes: capabilities.wordTimes,
      fillers: capabilities.fillers,
      createTime: this.#createTime,
    });
    this.#isOpen = true;
    if (this.#interruption) {
      await this.#writeEnd(endReasonOf(this.#interruption));
      throw this.#interruption;
    }
    this.events.push({
      type: "started",
      sessionId,
      nextSample: 0,
      epoch,
      engine: name,
      wordTimes: capabilities.wordTimes,
      fillersDetectable: capabilities.fillers === "kept",
      createTime: this.#createTime,
      tokenExpireTime,
    });
    this.#tokenTimer.set(tokenExpireTime);
  }

  #onEngineEvent(captions: LaneCaptions, event: EngineEvent): void {
    const { events, segment } = captions.take(event);
    for (const said of events) this.events.push(said);
    if (segment) this.#committer.add(segment);
    if (event.type !== "boundary") return;
    const through = Math.min(...this.#captions.map((lane) => lane.boundarySample));
    this.#committer.advance(Math.min(through, this.#received));
  }

  /** The one place where anything is acknowledged. */
  #committed(segments: readonly StoredSegment[], through: number): void {
    for (const segment of segments) {
      this.#segments.push(segment);
      const captions = this.#captions[segment.channel];
      if (captions) this.events.push(captions.finalEvent(segment));
    }
    if (through > this.#acknowledged) {
      this.#acknowledged = through;
      this.events.push({ type: "ack", throughSample: through, throughMs: this.#toMs(through) });
      this.#wakeWriter?.();
    }
    if (segments.length > 0 && !this.#closing) this.#deliveryPacer.ask();
  }

  #pushDelivery(): void {
    const figures = measureSegments(this.#segments, this.#describe());
    this.#wordCount = figures.totalWords;
    this.events.push({ type: "delivery", figures: takeSnapshot(figures) });
  }

  /** Measuring takes longer the more was said; in a long session the figures move more slowly too. */
  #deliveryIntervalMs(): number {
    return Math.max(minDeliveryIntervalMs, this.#wordCount);
  }

  async #bringInSafety(error: SessionError): Promise<void> {
    const isOurs = error.code !== "superseded";
    const attempt = async (what: string, work: () => Promise<unknown>) => {
      if (!isOurs) return;
      try {
        await this.#withinClosingTime(work());
      } catch (cause) {
        this.#report(what, cause);
      }
    };
    await attempt("the last audio of a broken session was not heard", () =>
      Promise.allSettled(this.#lanes.map((lane) => lane.end())),
    );
    await attempt("words of a broken session were not committed", () => this.#committer.flush());
    this.events.end(error);
    await attempt("the session's end was not written", () => this.#writeEnd(endReasonOf(error)));
    this.#release();
  }

  async #withinClosingTime(work: Promise<unknown>): Promise<void> {
    const done = new AbortController();
    const deadline = sleep(this.#dependencies.clock, closingMs, done.signal).then(
      () => Promise.reject(new SessionError("internal", `not done within ${closingMs} ms`)),
      () => undefined, // the work was faster
    );
    try {
      await Promise.race([work, deadline]);
    } finally {
      done.abort();
    }
  }

  /** The id is chosen here, so that a second try queues the same interview. */
  async #queueAnalysis(): Promise<string> {
    const { sessionId, userId, roomName, caseQuestion } = this.#options;
    const interviewId = randomUUID();
    const request = {
      interviewId,
      sessionId,
      userId,
      roomName,
      ...(caseQuestion === undefined ? {} : { caseQuestion }),
    };
    await this.#untilDatabaseAnswers(() => this.#dependencies.queueAnalysis(request));
    return interviewId;
  }

  async #writeEnd(reason: SessionEndReason, interviewId?: string): Promise<void> {
    const { store, clock } = this.#dependencies;
    const end = {
      reason,
      durationMs: this.durationMs,
      endTime: new Date(clock.now()),
      ...(interviewId === undefined ? {} : { interviewId }),
    };
    await this.#untilDatabaseAnswers(() => store.end(this.sessionId, epoch, end));
  }

  #untilDatabaseAnswers(work: () => Promise<void>): Promise<void> {
    return retryWhileUnavailable(work, this.#dependencies.clock, this.#giveUp.signal);
  }

  #describe(interviewId?: string) {
    const { name, capabilities } = this.#dependencies.engine;
    return {
      sessionId: this.sessionId,
      engine: name,
      wordTimes: capabilities.wordTimes,
      fillers: capabilities.fillers,
      durationMs: this.durationMs,
      ...(interviewId === undefined ? {} : { interviewId }),
    };
  }

  #warn(code: WarningCode, message: string, deadline?: Date): void {
    this.events.push({ type: "warning", code, message, ...(deadline === undefined ? {} : { deadline }) });
  }

  #report(message: string, error: unknown): void {
    this.#dependencies.onProblem(this.sessionId, message, error);
  }

  #release(): void {
    this.#closing = true;
    this.#cancelDeadline?.();
    this.#giveUp.abort();
    for (const lane of this.#lanes) lane.abort();
    this.#committer.close();
    this.#tokenTimer.clear();
    this.#deliveryPacer.clear();
    this.#wakeWriter?.();
    this.#closed.resolve(undefined);
  }

  #isClosing(): boolean {
    return this.#closing;
  }

  #toMs(samples: number): number {
    return Math.floor((samples * 1000) / this.#options.format.sampleRateHz);
  }
}
