/**
 * A transcription that outlives its streams: keeps what is not acknowledged, opens streams one after the other, and
 * shows the app one sequence of events. Never runs two streams at once, and never ends as if finished when it failed.
 * Long, for it is one state machine: what could stand alone (tail, events, retries, tokens, one stream) has its own file.
 */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { WarningCode } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { SessionStarted, Warning } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { AudioTail } from "./audio-tail.ts";
import { systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import { EventQueue } from "./event-queue.ts";
import { RetryPolicy } from "./retry-policy.ts";
import { TokenRenewal } from "./token-renewal.ts";
import { TokenSource } from "./token-source.ts";
import { StreamLeft, TranscribeStream } from "./transcribe-stream.ts";
import { TranscriptionError } from "./transcription-error.ts";
import { defaultTiming, readAudioFormat, streamConfig } from "./transcription-options.ts";
import type {
  AudioFormat,
  ResumePoint,
  Transcription,
  TranscriptionEvent,
  TranscriptionOptions,
  TranscriptionState,
  TranscriptionTiming,
} from "./transcription-options.ts";
import { UnbrokenEvents } from "./unbroken-events.ts";
import { pause, within } from "./wait.ts";

/** Opens a session, or continues one. Throws a TranscriptionError when the options cannot work. */
export function createTranscription(options: TranscriptionOptions): Transcription {
  return new ResumableTranscription(options);
}

const pieceMs = 100;
/** A message holds 64 KiB of audio at most. */
const maxPieceBytes = 60_000;
const maxQueuedEvents = 256;
/** The last few milliseconds of speech may stay unacknowledged until more audio comes. */
const acknowledgedButForMs = 100;
const leaveBeforeDeadlineMs = 500;
const leaveAfterAtMostMs = 3_000;

/** As when a proxy closed its stream in the client's name. */
function endedEarly(): TranscriptionError {
  const message = "the server took the session for complete before it was; what was acknowledged is stored";
  return new TranscriptionError("session-lost", message);
}

class ResumableTranscription implements Transcription {
  readonly #options: TranscriptionOptions;
  readonly #timing: TranscriptionTiming;
  readonly #clock: Clock;
  readonly #format: AudioFormat;
  readonly #samplesPerMs: number;
  readonly #tail: AudioTail;
  readonly #tokens: TokenSource;
  readonly #queue: EventQueue<TranscriptionEvent>;
  readonly #events: UnbrokenEvents;
  readonly #policy: RetryPolicy;
  readonly #over = new AbortController();
  #state: TranscriptionState = "connecting";
  #session: { readonly sessionId: string; readonly resumeToken: string } | undefined;
  #stream: TranscribeStream | undefined;
  #isMoving = false;
  #cancelMove: (() => void) | undefined;
  #isEndRequested = false;
  #hasSummary = false;
  /** Whether the place of the audio on the session clock is settled. */
  #isPlaced: boolean;
  #acknowledged = 0;
  #sent = 0;
  #finalsTaken: number;
  #finalizes: number[] = [];
  #writers: (() => void)[] = [];
  /** The server's clock, less this one. */
  #serverAheadMs = 0;

  constructor(options: TranscriptionOptions) {
    const { config, resume, signal } = options;
    this.#options = options;
    this.#timing = { ...defaultTiming, ...options.timing };
    this.#clock = options.clock ?? systemClock;
    this.#format = readAudioFormat(config);
    const { sampleRateHz, bytesPerFrame } = this.#format;
    this.#samplesPerMs = sampleRateHz / 1000;
    this.#tail = new AudioTail({
      bytesPerFrame,
      framesPerBlock: Math.min(
        Math.round(this.#samplesPerMs * pieceMs),
        Math.floor(maxPieceBytes / bytesPerFrame),
      ),
      maxFrames: Math.ceil(this.#timing.maxTailMs * this.#samplesPerMs),
      firstFrame: resume?.nextSample ?? 0,
    });
    this.#isPlaced = resume === undefined;
    this.#session = resume && { sessionId: resume.sessionId, resumeToken: resume.resumeToken };
    this.#finalsTaken = resume?.finalsReceived ?? 0;
    this.#sent = this.#acknowledged = resume?.nextSample ?? 0;
    this.#events = new UnbrokenEvents(this.#finalsTaken);
    this.#tokens = new TokenSource(options.token, this.#clock);
    this.#policy = new RetryPolicy({
      timing: this.#timing,
      random: options.random ?? Math.random,
      canRenewToken: this.#tokens.canRenew,
      nowMs: this.#clock.now(),
    });
    this.#queue = new EventQueue({
      maxEvents: maxQueuedEvents,
      onTaken: (event) => {
        if (event.case === "transcript" && event.value.isFinal) this.#finalsTaken += 1;
      },
      onLeft: () => this.cancel(),
    });
    signal?.addEventListener("abort", this.#onAbort);
    if (signal?.aborted) this.#onAbort();
    else void this.#run();
  }

  get state(): TranscriptionState {
    return this.#state;
  }

  get sessionId(): string | undefined {
    return this.#session?.sessionId;
  }

  get resumePoint(): ResumePoint | undefined {
    return (
      this.#session && {
        ...this.#session,
        finalsReceived: this.#finalsTaken,
        nextSample: this.#tail.end,
      }
    );
  }

  get writtenMs(): number {
    return this.#tail.end / this.#samplesPerMs;
  }

  get sentMs(): number {
    return this.#sent / this.#samplesPerMs;
  }

  get unacknowledgedMs(): number {
    return (this.#tail.end - this.#tail.start) / this.#samplesPerMs;
  }

  write(data: Uint8Array): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    if (this.#isEndRequested) throw new TranscriptionError("invalid", "write() after end()");
    const { bytesPerFrame } = this.#format;
    if (data.length % bytesPerFrame !== 0) {
      const message = `write(): expected whole samples of all channels, ${bytesPerFrame} bytes each`;
      throw new TranscriptionError("invalid", message);
    }
    const ms = data.length / bytesPerFrame / this.#samplesPerMs;
    if (ms > this.#timing.maxTailMs / 2) {
      const message = `write(): at most ${this.#timing.maxTailMs / 2} ms at once; write in pieces, and await each`;
      throw new TranscriptionError("invalid", message);
    }
    this.#tail.append(data);
    this.#stream?.notify();
    if (this.#hasRoom) return Promise.resolve();
    return new Promise((resolve) => this.#writers.push(resolve));
  }

  finalize(): void {
    if (this.#isOver || this.#tail.end <= Math.max(this.#acknowledged, this.#finalizes.at(-1) ?? 0)) return;
    this.#finalizes.push(this.#tail.end);
    this.#stream?.notify();
  }

  end(): void {
    if (this.#isOver || this.#isEndRequested) return;
    this.#isEndRequested = true;
    if (this.#state === "live") this.#setState("ending");
    this.#stream?.notify();
  }

  cancel(): void {
    this.#cancel(undefined);
  }

  [Symbol.asyncIterator](): AsyncIterator<TranscriptionEvent, undefined> {
    return this.#queue;
  }

  readonly #onAbort = () => this.#cancel(this.#options.signal?.reason);

  #cancel(reason: unknown): void {
    if (this.#isOver) return;
    if (this.#hasSummary) {
      this.#finish();
      return;
    }
    this.#queue.clear();
    this.#fail(new TranscriptionError("cancelled", "the transcription was cancelled", reason));
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** Of live audio that nobody waits with, this says nothing. */
  get #hasRoom(): boolean {
    const { start, end } = this.#tail;
    const unsentMs = (end - Math.max(start, this.#stream?.cursor ?? start)) / this.#samplesPerMs;
    return (
      this.#isOver ||
      (unsentMs <= this.#timing.maxUnsentMs && this.unacknowledgedMs <= this.#timing.maxTailMs / 2)
    );
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    try {
      while (!this.#isOver) await this.#runStream();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** One stream, and the wait for the next. */
  async #runStream(): Promise<void> {
    const run: StreamRun = { startedAtMs: undefined, hasProgressed: false };
    let failure: unknown;
    try {
      await this.#serveStream(run);
      if (!this.#hasSummary) {
        failure = new ConnectError("the server ended the stream without a summary", Code.Unavailable);
      }
    } catch (error) {
      failure = error;
    } finally {
      this.#stream?.close();
      this.#stream = undefined;
      this.#cancelMove?.();
      this.#isMoving = false;
    }
    if (this.#isOver) return;
    if (this.#hasSummary) {
      if (this.#isEndRequested && this.#acknowledged >= this.#tail.end)
        this.#finish(); // everything is stored, however the call ended
      else this.#fail(endedEarly());
      return;
    }
    this.#events.streamBroke();
    const nowMs = this.#clock.now();
    const { startedAtMs } = run;
    const hasLived = startedAtMs !== undefined && nowMs - startedAtMs >= this.#timing.deadAfterMs;
    const next = this.#policy.next({
      failure,
      nowMs,
      hasSession: this.#session !== undefined,
      hasStarted: startedAtMs !== undefined,
      hasWorked: run.hasProgressed || hasLived,
    });
    if ("error" in next) {
      this.#fail(next.error);
      return;
    }
    if (next.freshToken) this.#tokens.discard();
    if (this.#session) this.#setState("reconnecting", failure instanceof Error ? failure : undefined);
    const waitMs = Math.max(next.waitMs, this.#timing.minBackoffMs);
    if (waitMs > 0) await pause(this.#clock, waitMs, this.#over.signal);
  }

  /** Resolves when the server ended the stream with OK. */
  async #serveStream(run: StreamRun): Promise<void> {
    const stream = await this.#openStream();
    const renewal = new TokenRenewal({
      clock: this.#clock,
      source: this.#tokens,
      onToken: (token) => stream.send({ case: "reauthenticate", value: { token } }),
    });
    try {
      for (;;) {
        const step = await this.#nextStep(stream, run);
        if (step.done) return;
        const { event } = step.value;
        if (event.case === undefined) continue; // of a newer server
        if (event.case === "sessionStarted") this.#onStarted(event.value, stream, run, renewal);
        else if (run.startedAtMs === undefined)
          throw new ConnectError("the server did not say SessionStarted first", Code.Internal);
        else this.#onEvent(event, stream, run, renewal);
        for (const shown of this.#events.take(event)) this.#queue.push(shown);
        if (this.#queue.isFull) {
          stream.setDeaf(true);
          await this.#queue.room();
          stream.setDeaf(false);
        }
      }
    } finally {
      renewal.stop();
    }
  }

  async #openStream(): Promise<TranscribeStream> {
    const { transport, config } = this.#options;
    const token = await within(this.#tokens.get(), {
      clock: this.#clock,
      ms: this.#timing.connectTimeoutMs,
      signal: this.#over.signal,
      onLate: () => new StreamLeft(this.#isOver ? "over" : "no-answer"),
    });
    const resume = this.#session && { ...this.#session, finalsReceived: this.#events.finalsReceived };
    const stream = new TranscribeStream(
      {
        tail: this.#tail,
        clock: this.#clock,
        timing: this.#timing,
        samplesPerMs: this.#samplesPerMs,
        isEnding: () => this.#isEndRequested,
        nextFinalize: (after) => this.#finalizes.find((at) => at > after),
        onSent: (through) => {
          this.#sent = Math.max(this.#sent, through);
          this.#wakeWriters();
        },
      },
      {
        transport: typeof transport === "function" ? makeTransport(transport) : transport,
        token,
        config: streamConfig(config, resume),
      },
    );
    this.#stream = stream;
    return stream;
  }

  async #nextStep(stream: TranscribeStream, run: StreamRun): ReturnType<TranscribeStream["next"]> {
    if (run.startedAtMs !== undefined) return stream.next();
    const cancel = this.#clock.after(this.#timing.connectTimeoutMs, () => stream.leave("no-answer"));
    try {
      return await stream.next();
    } finally {
      cancel();
    }
  }

  #onStarted(started: SessionStarted, stream: TranscribeStream, run: StreamRun, renewal: TokenRenewal): void {
    const nowMs = this.#clock.now();
    const nextSample = Number(started.nextSample);
    const { sessionId, resumeToken, createTime, tokenExpireTime } = started;
    if (!this.#session && createTime) this.#serverAheadMs = timestampMs(createTime) - nowMs;
    this.#session = { sessionId, resumeToken };
    run.startedAtMs = nowMs;
    this.#place(nextSample);
    this.#acknowledge(nextSample);
    if (tokenExpireTime) renewal.expectExpiry(timestampMs(tokenExpireTime) - nowMs - this.#serverAheadMs);
    stream.begin(nextSample);
    this.#setState(this.#isEndRequested ? "ending" : "live");
  }

  /** An earlier page had sent more than its resume point says: what was written here comes after that. */
  #place(nextSample: number): void {
    if (this.#isPlaced) return;
    this.#isPlaced = true;
    const later = nextSample - this.#tail.start;
    if (later <= 0) return;
    this.#tail.moveTo(nextSample);
    this.#finalizes = this.#finalizes.map((at) => at + later);
  }

  #onEvent(event: TranscriptionEvent, stream: TranscribeStream, run: StreamRun, renewal: TokenRenewal): void {
    switch (event.case) {
      case "audioAck": {
        const through = Number(event.value.throughSample);
        if (through > this.#acknowledged) run.hasProgressed = true;
        this.#acknowledge(through);
        if (this.#isMoving) this.#moveIfAcknowledged(stream);
        return;
      }
      case "transcript":
        if (event.value.isFinal) run.hasProgressed = true;
        return;
      case "audioGap":
        run.hasProgressed = true;
        return;
      case "warning":
        if (event.value.code === WarningCode.TOKEN_EXPIRING) void renewal.renew();
        if (event.value.code === WarningCode.SERVER_STOPPING) this.#prepareMove(event.value, stream);
        return;
      case "sessionSummary":
        this.#hasSummary = true;
        return;
      case "sessionStarted":
      case "speechActivity":
      case "deliveryUpdate":
        return;
    }
  }

  #acknowledge(through: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, through);
    this.#tail.dropBefore(this.#acknowledged);
    this.#finalizes = this.#finalizes.filter((at) => at > this.#acknowledged);
    this.#wakeWriters();
  }

  /**
   * The server stops: what it has heard is made final, what comes now waits for the next stream. A session that is
   * ending stays, for the server ends it in time or the next stream does.
   */
  #prepareMove({ deadlineTime }: Warning, stream: TranscribeStream): void {
    if (this.#isMoving || this.#isEndRequested) return;
    this.#isMoving = true;
    stream.hold();
    stream.send({ case: "finalize", value: {} });
    const leftMs = deadlineTime
      ? timestampMs(deadlineTime) - this.#clock.now() - this.#serverAheadMs - leaveBeforeDeadlineMs
      : Infinity;
    this.#cancelMove = this.#clock.after(Math.min(Math.max(leftMs, 0), leaveAfterAtMostMs), () =>
      stream.leave("server-stopping"),
    );
    this.#moveIfAcknowledged(stream);
  }

  #moveIfAcknowledged(stream: TranscribeStream): void {
    const waitingFor = (stream.cursor ?? 0) - this.#acknowledged;
    if (waitingFor <= acknowledgedButForMs * this.#samplesPerMs) stream.leave("server-stopping");
  }

  #wakeWriters(): void {
    if (this.#writers.length === 0 || !this.#hasRoom) return;
    for (const resolve of this.#writers.splice(0)) resolve();
  }

  #setState(state: TranscriptionState, reason?: Error): void {
    if (state === this.#state) return;
    this.#state = state;
    try {
      this.#options.onStateChange?.(state, reason);
    } catch (error) {
      // The app's own error, reported as one thrown by an event listener is.
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  #finish(): void {
    this.#queue.end();
    this.#release();
    this.#setState("ended");
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#queue.fail(error);
    this.#release();
    this.#setState("failed", error);
  }

  #release(): void {
    this.#over.abort();
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#cancelMove?.();
    this.#stream?.leave("over");
    this.#wakeWriters();
  }
}

function makeTransport(make: () => Transport): Transport {
  try {
    return make();
  } catch (error) {
    throw new TranscriptionError("invalid", "transport() made no transport", error);
  }
}

interface StreamRun {
  /** When the server said SessionStarted. */
  startedAtMs: number | undefined;
  hasProgressed: boolean;
}
