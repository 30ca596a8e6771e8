/**
 * One Transcribe call: sends config, then the tail from where the server wants it, with keep-alives in silence; hears
 * when the server falls silent. Never reconnects and never changes an event.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { TranscriptionService } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type {
  StreamConfigSchema,
  TranscribeRequestSchema,
  TranscribeResponse,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { AudioTail } from "./audio-tail.ts";
import type { Clock } from "./clock.ts";
import type { TranscriptionTiming } from "./transcription-options.ts";

/** Why a stream was left that the server had not ended. */
export type LeaveReason = "silent" | "no-answer" | "server-stopping" | "audio-dropped" | "over";

/** What reading a stream rejects with after leave(). */
export class StreamLeft extends Error {
  override readonly name = "StreamLeft";
  readonly reason: LeaveReason;

  constructor(reason: LeaveReason) {
    super(leaveMessages[reason]);
    this.reason = reason;
  }
}

const leaveMessages: Readonly<Record<LeaveReason, string>> = {
  silent: "the server has not been heard for too long",
  "no-answer": "the server did not answer in time",
  "server-stopping": "the server stops",
  "audio-dropped": "audio that was not sent had to be dropped",
  over: "the transcription is over",
};

/** What of the transcription its streams share. */
export interface TranscribeStreamContext {
  readonly tail: AudioTail;
  readonly clock: Clock;
  readonly timing: TranscriptionTiming;
  readonly samplesPerMs: number;
  /** end() was called: half-close after the last of the tail. */
  readonly isEnding: () => boolean;
  /** The first place after `after` at which a Finalize is to be sent. */
  readonly nextFinalize: (after: number) => number | undefined;
  /** Audio up to there has been sent. */
  readonly onSent: (through: number) => void;
}

export interface TranscribeStreamOptions {
  readonly transport: Transport;
  readonly token: string;
  readonly config: MessageInitShape<typeof StreamConfigSchema>;
}

type Request = MessageInitShape<typeof TranscribeRequestSchema>;
type Control = NonNullable<Extract<NonNullable<Request["message"]>, { case: "control" }>["value"]["action"]>;

export class TranscribeStream {
  readonly #context: TranscribeStreamContext;
  readonly #abort = new AbortController();
  readonly #events: AsyncIterator<TranscribeResponse>;
  #left: StreamLeft | undefined;
  #rejectNext: ((reason: StreamLeft) => void) | undefined;
  #controls: Control[] = [];
  #wake: (() => void) | undefined;
  #isClosed = false;
  #isHolding = false;
  /** Next frame to send; undefined until the server has said from where. */
  #cursor: number | undefined;
  /** The server takes a gap only before the first chunk of a stream that resumes. */
  #mayJump: boolean;
  #finalizedAt = -1;
  #lastSentMs: number;
  #lastHeardMs: number;
  #isDeaf = false;
  #isGathering = false;
  #hasGathered = false;
  readonly #timers = new Map<string, () => void>();

  constructor(context: TranscribeStreamContext, { transport, token, config }: TranscribeStreamOptions) {
    this.#context = context;
    this.#lastSentMs = this.#lastHeardMs = context.clock.now();
    this.#mayJump = config.resume !== undefined;
    this.#events = createClient(TranscriptionService, transport)
      .transcribe(this.#requests(config), {
        headers: { authorization: `Bearer ${token}` },
        signal: this.#abort.signal,
      })
      [Symbol.asyncIterator]();
  }

  /** Where the next audio begins that this stream will send; undefined before begin(). */
  get cursor(): number | undefined {
    return this.#cursor;
  }

  /** Rejects with what Connect makes of the end of the call, or with StreamLeft. */
  next(): Promise<IteratorResult<TranscribeResponse>> {
    if (this.#left) return Promise.reject(this.#left);
    return new Promise((resolve, reject) => {
      // Transports need not notice an abort at once.
      this.#rejectNext = reject;
      this.#events.next().then((step) => {
        this.#lastHeardMs = this.#context.clock.now();
        resolve(step);
      }, reject);
    });
  }

  /** The server has said from where it wants audio: sends, and listens for silence. */
  begin(nextSample: number): void {
    const { timing } = this.#context;
    this.#cursor = Math.max(nextSample, this.#mayJump ? this.#context.tail.start : 0);
    this.#watch(timing.deadAfterMs);
    this.#beat(timing.heartbeatMs);
    this.notify();
  }

  /** There is more to send: audio, a Finalize, the end. */
  notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  send(control: Control): void {
    this.#controls.push(control);
    this.notify();
  }

  /** Sends no more audio; the tail keeps it. */
  hold(): void {
    this.#isHolding = true;
  }

  /** Nobody reads for a while: silence means nothing. */
  setDeaf(isDeaf: boolean): void {
    this.#isDeaf = isDeaf;
    this.#lastHeardMs = this.#context.clock.now();
  }

  /** Abandons the call, without waiting for anybody. */
  leave(reason: LeaveReason): void {
    if (this.#isClosed) return;
    this.#left = new StreamLeft(reason);
    this.close();
    this.#rejectNext?.(this.#left);
  }

  /** Releases everything; for a call that is over, too. */
  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#abort.abort(this.#left ?? new StreamLeft("over"));
    this.notify();
  }

  async *#requests(config: MessageInitShape<typeof StreamConfigSchema>): AsyncGenerator<Request> {
    yield { message: { case: "config", value: config } };
    while (!this.#isClosed) {
      const request = this.#nextRequest();
      if (request === "end") return;
      if (request) {
        this.#lastSentMs = this.#context.clock.now();
        yield request;
      } else if (!this.#abort.signal.aborted) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  #nextRequest(): Request | "end" | undefined {
    if (this.#cursor === undefined) return undefined;
    const control = this.#controls.shift() ?? this.#dueFinalize(this.#cursor);
    if (control) return { message: { case: "control", value: { action: control } } };
    return this.#nextAudio(this.#cursor) ?? this.#end(this.#cursor);
  }

  #dueFinalize(cursor: number): Control | undefined {
    const at = this.#context.nextFinalize(this.#finalizedAt);
    if (at === undefined || at > cursor) return undefined;
    this.#finalizedAt = at;
    return { case: "finalize", value: {} };
  }

  #nextAudio(cursor: number): Request | undefined {
    const { tail } = this.#context;
    if (this.#isHolding || cursor >= tail.end) return undefined;
    let from = cursor;
    if (from < tail.start) {
      if (!this.#mayJump) {
        this.leave("audio-dropped");
        return undefined;
      }
      from = tail.start;
    }
    const finalizeAt = this.#context.nextFinalize(this.#finalizedAt) ?? Infinity;
    if (!this.#isWorthSending(Math.min(tail.end, finalizeAt) - from, finalizeAt <= tail.end))
      return undefined;
    const piece = tail.read(from, finalizeAt);
    if (!piece) return undefined;
    this.#mayJump = false;
    this.#cursor = from + piece.frames;
    this.#context.onSent(this.#cursor);
    return { message: { case: "audio", value: { firstSample: BigInt(from), data: piece.data } } };
  }

  /** Tiny writes, as browsers make them, are gathered, but not for longer than minPieceMs. */
  #isWorthSending(frames: number, isLast: boolean): boolean {
    const { timing, samplesPerMs, isEnding } = this.#context;
    if (isLast || isEnding() || this.#hasGathered || frames >= timing.minPieceMs * samplesPerMs) {
      this.#hasGathered = this.#isGathering = false;
      this.#cancel("gather");
      return true;
    }
    if (!this.#isGathering) {
      this.#isGathering = true;
      this.#after("gather", timing.minPieceMs, () => {
        this.#hasGathered = true;
        this.notify();
      });
    }
    return false;
  }

  #end(cursor: number): "end" | undefined {
    const { tail, isEnding } = this.#context;
    if (!isEnding() || this.#isHolding || this.#isClosed || cursor < tail.end) return undefined;
    this.#cancel("beat");
    return "end";
  }

  #beat(afterMs: number): void {
    const { clock, timing } = this.#context;
    this.#after("beat", afterMs, () => {
      const quietMs = clock.now() - this.#lastSentMs;
      const isDue = quietMs >= timing.heartbeatMs;
      if (isDue && !this.#controls.some((control) => control.case === "keepAlive")) {
        this.send({ case: "keepAlive", value: {} });
      }
      this.#beat(isDue ? timing.heartbeatMs : timing.heartbeatMs - quietMs);
    });
  }

  #watch(afterMs: number): void {
    const { clock, timing } = this.#context;
    const dueMs = clock.now() + afterMs;
    this.#after("watch", afterMs, () => {
      const silentMs = this.#isDeaf ? 0 : clock.now() - this.#lastHeardMs;
      // A timer that comes late says that this process slept: what was sent meanwhile is still to be read.
      const hasSlept = clock.now() - dueMs > maxLatenessMs;
      if (silentMs >= timing.deadAfterMs && !hasSlept) this.leave("silent");
      else this.#watch(hasSlept ? maxLatenessMs : timing.deadAfterMs - silentMs);
    });
  }

  #after(name: string, ms: number, callback: () => void): void {
    this.#cancel(name);
    if (this.#isClosed) return;
    const cancel = this.#context.clock.after(ms, () => {
      this.#timers.delete(name);
      callback();
    });
    this.#timers.set(name, cancel);
  }

  #cancel(name: string): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }
}

const maxLatenessMs = 1_000;
