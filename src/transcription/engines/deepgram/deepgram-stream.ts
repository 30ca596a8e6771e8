/**
 * One engine stream on one connection to Deepgram. It paces the writer, keeps the connection alive, and notices one that
 * has gone silent. It never connects again: it fails, and the lane replays on another stream.
 */
import type { Clock } from "../../../clock.ts";
import { EngineError, type EngineStream, type EngineStreamOptions } from "../speech-engine.ts";
import { AudioGatherer } from "./audio-gatherer.ts";
import type { ListenConnection } from "./connection.ts";
import { sampleRateHz } from "./listen-options.ts";
import { leftoverSamples, ResultReader } from "./result-reader.ts";
import { toSample } from "./read-words.ts";
import type { DeepgramMessage, DeepgramResults } from "./wire.ts";

export interface DeepgramStreamOptions {
  readonly connection: ListenConnection;
  readonly stream: EngineStreamOptions;
  readonly clock: Clock;
  /** Something that an operator may want to know; the stream goes on. */
  readonly onProblem: (message: string) => void;
  /** Called once, when the stream is over for whatever reason. */
  readonly onOver: () => void;
}

const tickMs = 1_000;
/** Deepgram asks for a sign of life every 3 to 5 s, and hangs up after 10. */
const keepAliveMs = 4_000;
/** Deepgram gives a result about once per second of audio, also of silence; so long without one, it is gone. */
const silentMs = 12_000;
/** And only while it owes so much audio: less may wait for more to come. */
const silentSamples = 3 * sampleRateHz;
/** Finalize is answered within tenths of a second, or not at all when there is next to nothing to flush. */
const finalizeMs = 3_000;
const closeStreamMs = 10_000;
/** The writer waits while more than so much has not left for the network: two seconds of audio. */
const maxBufferedBytes = 2 * sampleRateHz * 2;
/** Nor may Deepgram be further behind than this: what it has not heard, nobody may forget. */
const maxUnheardSamples = 10 * sampleRateHz;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: EngineError) => void;
}

/** A Finalize that was sent, and who waits for it. */
interface Flush {
  readonly throughSample: number;
  readonly askedAtMs: number;
  readonly waiter: Waiter;
}

export class DeepgramStream implements EngineStream {
  readonly #options: DeepgramStreamOptions;
  readonly #connection: ListenConnection;
  readonly #reader: ResultReader;
  readonly #gatherer = new AudioGatherer((samples) => this.#send(samples));
  #sentSamples = 0;
  #lastSentAtMs: number;
  #lastHeardAtMs: number;
  /** Since when Deepgram owes `silentSamples` or more and has come no further; of no meaning while it owes less. */
  #stuckSinceMs: number;
  #writer: Waiter | undefined;
  #flushes: Flush[] = [];
  /** CloseStream was sent: by `end`, who waits, or since a Finalize was not answered. */
  #closing:
    { readonly throughSample: number; readonly askedAtMs: number; readonly waiter?: Waiter } | undefined;
  #cancelTick: () => void = () => undefined;
  #over: EngineError | undefined;

  constructor(options: DeepgramStreamOptions) {
    this.#options = options;
    this.#connection = options.connection;
    this.#lastSentAtMs = this.#lastHeardAtMs = this.#stuckSinceMs = options.clock.now();
    const { interimResults, diarize = false } = options.stream;
    this.#reader = new ResultReader({
      interimResults,
      diarize,
      onEvent: (event) => {
        if (this.#over === undefined) options.stream.onEvent(event);
      },
    });
  }

  /** To be called once, before anything else. The connection may have failed already. */
  start(): void {
    this.#scheduleTick();
    this.#connection.listen({
      onMessage: (message) => this.#hear(message),
      onSent: () => this.#releaseWriter(),
      onClosed: () => this.#closed(),
      onFailed: (error) => this.fail(error),
    });
  }

  async write(samples: Float32Array): Promise<void> {
    this.#throwIfOver();
    this.#gatherer.add(samples);
    if (this.#hasRoom()) return;
    await new Promise<void>((resolve, reject) => (this.#writer = { resolve, reject }));
  }

  async finalize(): Promise<void> {
    this.#throwIfOver();
    this.#gatherer.flush();
    if (this.#reader.boundary >= this.#sentSamples) return;
    await new Promise<void>((resolve, reject) => {
      const waiter = { resolve, reject };
      this.#flushes.push({ throughSample: this.#sentSamples, askedAtMs: this.#now(), waiter });
      this.#connection.sendFinalize();
    });
  }

  async end(): Promise<void> {
    this.#throwIfOver();
    this.#gatherer.flush();
    if (this.#reader.boundary < this.#sentSamples)
      await new Promise<void>((resolve, reject) => this.#close({ resolve, reject }));
    else this.#close();
    this.#reader.speechEnded();
    this.#finish(new EngineError("internal", "the stream has ended"));
  }

  /** Ends the stream with an error that everyone waiting, and `onError`, gets. */
  fail(error: EngineError): void {
    if (this.#over !== undefined) return;
    this.#finish(error);
    this.#options.stream.onError(error);
  }

  /** Ends the stream silently. */
  abort(): void {
    if (this.#over === undefined)
      this.#finish(new EngineError("unavailable", "the stream was aborted", { retryable: false }));
  }

  #hear(message: DeepgramMessage): void {
    this.#lastHeardAtMs = this.#now();
    const { heardThrough } = this.#reader;
    switch (message.type) {
      case "Results":
        this.#takeResults(message);
        break;
      case "SpeechStarted":
        this.#reader.speechStarted(message.timestamp, this.#sentSamples);
        break;
      case "UtteranceEnd":
        this.#reader.utteranceEnded(message.last_word_end);
        break;
      case "Metadata":
        this.#takeAccount(toSample(message.duration));
        break;
      case "Error":
        this.fail(new EngineError("unavailable", "Deepgram reports an error on the stream"));
        break;
      case "Warning":
        this.#options.onProblem("Deepgram warns of a problem on a stream");
    }
    if (this.#reader.heardThrough > heardThrough) this.#stuckSinceMs = this.#now();
    this.#releaseWriter();
  }

  #takeResults(results: DeepgramResults): void {
    const end = this.#reader.take(results, this.#sentSamples);
    if (results.from_finalize) {
      // Deepgram is done with what it had when it was asked, even if the result ends a few frames short of it. An
      // answer that reaches one flush says nothing of the next, however little lies between them.
      const [oldest] = this.#flushes;
      const isReached = oldest !== undefined && oldest.throughSample <= end;
      if (oldest && !isReached && oldest.throughSample <= end + leftoverSamples)
        this.#reader.advance(oldest.throughSample);
    }
    this.#settleFlushes();
  }

  #settleFlushes(): void {
    const { boundary } = this.#reader;
    const settled = this.#flushes.filter((flush) => flush.throughSample <= boundary);
    this.#flushes = this.#flushes.filter((flush) => flush.throughSample > boundary);
    for (const { waiter } of settled) waiter.resolve();
  }

  /** The last message of a stream: how much audio Deepgram took, all of which it is done with. */
  #takeAccount(takenSamples: number): void {
    if (this.#closing === undefined) return;
    const { throughSample, waiter } = this.#closing;
    if (takenSamples + leftoverSamples < throughSample) {
      this.fail(new EngineError("unavailable", "Deepgram ended the stream before it had heard all of it"));
      return;
    }
    this.#reader.advance(throughSample);
    this.#settleFlushes();
    if (waiter) waiter.resolve();
    else this.fail(new EngineError("unavailable", "Deepgram did not answer Finalize; the stream was closed"));
  }

  #closed(): void {
    const waiter = this.#closing?.waiter;
    if (waiter && this.#reader.boundary >= this.#sentSamples) waiter.resolve();
    else this.fail(new EngineError("unavailable", "Deepgram closed the stream"));
  }

  #send(samples: Int16Array): void {
    if (this.#unheardSamples < silentSamples) this.#stuckSinceMs = this.#now();
    this.#sentSamples += samples.length;
    if (this.#closing === undefined) this.#connection.sendAudio(samples);
    this.#lastSentAtMs = this.#now();
  }

  #close(waiter?: Waiter): void {
    const closing = { throughSample: this.#sentSamples, askedAtMs: this.#now() };
    this.#closing = waiter ? { ...closing, waiter } : closing;
    this.#connection.sendCloseStream();
  }

  #tick(): void {
    const now = this.#now();
    if (this.#closing !== undefined) {
      if (now - Math.max(this.#closing.askedAtMs, this.#lastHeardAtMs) >= closeStreamMs) {
        this.fail(new EngineError("unavailable", "Deepgram did not close the stream when asked to"));
        return;
      }
    } else if (this.#isSilent(now)) {
      this.fail(new EngineError("unavailable", "Deepgram takes audio and gives no result"));
      return;
    } else if (this.#isUnanswered(now)) {
      // Its answer to this says how much it took, which settles what may be acknowledged; no other way is left to know.
      this.#close();
    } else if (now - this.#lastSentAtMs >= keepAliveMs) {
      this.#gatherer.flush();
      this.#connection.sendKeepAlive();
      this.#lastSentAtMs = now;
    }
    this.#scheduleTick();
  }

  get #unheardSamples(): number {
    return this.#sentSamples - this.#reader.heardThrough;
  }

  #isSilent(now: number): boolean {
    return this.#unheardSamples >= silentSamples && now - this.#stuckSinceMs >= silentMs;
  }

  #isUnanswered(now: number): boolean {
    const [oldest] = this.#flushes;
    return oldest !== undefined && now - Math.max(oldest.askedAtMs, this.#lastHeardAtMs) >= finalizeMs;
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#options.clock.after(tickMs, () => this.#tick());
  }

  #hasRoom(): boolean {
    return this.#connection.bufferedBytes <= maxBufferedBytes && this.#unheardSamples <= maxUnheardSamples;
  }

  #releaseWriter(): void {
    if (this.#writer === undefined || !this.#hasRoom()) return;
    this.#writer.resolve();
    this.#writer = undefined;
  }

  #finish(error: EngineError): void {
    this.#over = error;
    this.#cancelTick();
    this.#connection.discard();
    const waiters = [this.#writer, this.#closing?.waiter, ...this.#flushes.map(({ waiter }) => waiter)];
    this.#writer = undefined;
    this.#flushes = [];
    for (const waiter of waiters) waiter?.reject(error);
    this.#options.onOver();
  }

  #throwIfOver(): void {
    if (this.#over !== undefined) throw this.#over;
  }

  #now(): number {
    return this.#options.clock.now();
  }
}
