/**
 * One live session: audio in, events out. It owns the session clock, the numbering of segments, and the order that makes
 * an acknowledgement true: engine, then database, then client. It knows no wire format and no vendor.
 */
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
import { estimateBytes } from "./session-events.ts";
import type { SessionEvent, WarningCode } from "./session-events.ts";
import type { SessionDependencies, SessionOptions } from "./session-options.ts";
import { measureSegments, summarize } from "./summarize.ts";
import { TokenTimer } from "./token-timer.ts";

/** Unread events that a client may pile up before its stream is ended. */
const maxUnreadBytes = 256 * 1024;
/** Audio that may be unacknowledged before the client has to wait, in milliseconds. */
const maxUnacknowledgedMs = 30_000;
/** What a broken session may take to bring its last words in safety, in milliseconds. */
const closingMs = 15_000;
const deliveryIntervalMs = 1_000;
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
  #closing = false;
  /** The client left while its session was being completed. */
  #isAbandoned = false;
  #wakeWriter: (() => void) | undefined;

  private constructor(options: SessionOptions, dependencies: SessionDependencies) {
    this.sessionId = options.sessionId;
    this.#options = options;
    this.#dependencies = dependencies;
    this.#createTime = new Date(dependencies.clock.now());
    this.events = new EventQueue<SessionEvent>({
      maxBytes: maxUnreadBytes,
      sizeOf: estimateBytes,
      onOverflow: () =>
        this.fail(new SessionError("reader-stalled", "events were not read; read them, and start again")),
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
    this.#deliveryPacer = new Pacer(dependencies.clock, deliveryIntervalMs, () => this.#pushDelivery());
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

  /** Turns all audio so far into finals, and commits and acknowledges them. */
  async finalize(): Promise<void> {
    if (this.#closing) return;
    await Promise.all(this.#lanes.map((lane) => lane.finalize()));
    await this.#committer.flush();
  }

  /** The token was replaced by one that is good until then. */
  reauthenticated(expireTime: Date): void {
    this.#tokenTimer.set(expireTime);
  }

  /** Says that the server will end the session at the deadline. */
  announceStop(deadline: Date): void {
    this.#warn("server-stopping", "the server is shutting down; finish before the deadline", deadline);
  }

  /** The client has said everything: last finals, last figures, the summary, the end. */
  async complete(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    try {
      await Promise.all(this.#lanes.map((lane) => lane.end()));
      await this.#committer.flush();
      if (this.#isAbandoned) throw new SessionError("internal", "the client is gone");
      const interviewId = this.#options.analyzeOnEnd ? await this.#queueAnalysis() : undefined;
      await this.#writeEnd("completed", interviewId);
      this.#deliveryPacer.clear();
      this.#pushDelivery();
      this.events.push({ type: "summary", summary: summarize(this.#describe(interviewId), this.#segments) });
      this.events.end();
      this.#release();
    } catch (error) {
      const failure = asSessionError(error);
      if (!this.#isAbandoned) this.#report("the session could not be completed", error);
      await this.#bringInSafety(failure, this.#isAbandoned ? "client-gone" : endReasonOf(failure));
    }
  }

  /**
   * Ends the session for a reason other than its being complete. What was said so far is turned into finals and
   * committed, as far as that is possible in a few seconds; then the client gets the error.
   */
  fail(error: SessionError, reason: SessionEndReason = endReasonOf(error)): void {
    if (this.#closing) {
      this.#isAbandoned ||= reason === "client-gone";
      return;
    }
    this.#closing = true;
    this.#wakeWriter?.();
    void this.#bringInSafety(error, reason);
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
    this.events.push({ type: "delivery", figures: measureSegments(this.#segments, this.#describe()) });
  }

  async #bringInSafety(error: SessionError, reason: SessionEndReason): Promise<void> {
    const isTakenOver = error.code === "superseded";
    try {
      if (!isTakenOver)
        await this.#withinClosingTime(Promise.allSettled(this.#lanes.map((lane) => lane.end())));
      if (!isTakenOver) await this.#withinClosingTime(this.#committer.flush());
    } catch (cause) {
      this.#report("words of a broken session could not be committed", cause);
    }
    this.events.end(error);
    try {
      if (!isTakenOver) await this.#withinClosingTime(this.#writeEnd(reason));
    } catch (cause) {
      this.#report("the session's end was not written", cause);
    }
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

  async #queueAnalysis(): Promise<string> {
    const { sessionId, userId, roomName, caseQuestion } = this.#options;
    return this.#dependencies.queueAnalysis({
      sessionId,
      userId,
      roomName,
      ...(caseQuestion === undefined ? {} : { caseQuestion }),
    });
  }

  async #writeEnd(reason: SessionEndReason, interviewId?: string): Promise<void> {
    const { store, clock } = this.#dependencies;
    const end = {
      reason,
      durationMs: this.durationMs,
      endTime: new Date(clock.now()),
      ...(interviewId === undefined ? {} : { interviewId }),
    };
    await retryWhileUnavailable(
      () => store.end(this.sessionId, epoch, end),
      clock,
      AbortSignal.timeout(closingMs),
    );
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
