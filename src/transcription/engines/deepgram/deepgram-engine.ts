/**
 * The Deepgram engine: speech to text by Deepgram's live API, over its SDK. It owns the open streams and what is known of
 * the account's health. It neither retries nor reconnects: the lane does, with the audio since the last boundary.
 */
import { systemClock, type Clock } from "../../../clock.ts";
import {
  EngineError,
  type EngineCapabilities,
  type EngineHealth,
  type EngineStream,
  type EngineStreamOptions,
  type SpeechEngine,
} from "../speech-engine.ts";
import { DeepgramStream } from "./deepgram-stream.ts";
import { forHealth, forLog } from "./failures.ts";
import { deepgramLanguage, deepgramLanguages } from "./languages.ts";
import { listenQuery, sampleRateHz, usableKeyterms } from "./listen-options.ts";

export interface DeepgramEngineOptions {
  /** Goes to Deepgram only: into no message, no log, no URL. */
  readonly apiKey: string;
  /** A region's server, or one's own; ws, wss, http or https. Default: Deepgram's cloud. */
  readonly url?: string;
  /** Default: the real one. */
  readonly clock?: Clock;
  /** Something that an operator may want to know, without words spoken or secrets. */
  readonly onProblem?: (message: string) => void;
}

/** Connects to nothing: the first stream does, and loads the SDK. */
export function createDeepgramEngine(options: DeepgramEngineOptions): SpeechEngine {
  return new DeepgramEngine(options);
}

class DeepgramEngine implements SpeechEngine {
  readonly name = "deepgram";
  readonly sampleRateHz = sampleRateHz;
  readonly capabilities: EngineCapabilities = {
    interimResults: true,
    wordTimes: "measured",
    confidence: true,
    // `filler_words` is asked for in every language, and documented for English only.
    fillers: "may-drop",
    fillersKeptIn: ["en"],
    languages: deepgramLanguages,
  };
  readonly #options: DeepgramEngineOptions;
  readonly #streams = new Set<DeepgramStream>();
  readonly #closing = new AbortController();
  /** Why the last stream could not be opened; undefined once one could. */
  #failure: EngineError | undefined;
  #lastProblem: string | undefined;

  constructor(options: DeepgramEngineOptions) {
    this.#options = options;
  }

  async open(options: EngineStreamOptions, signal: AbortSignal): Promise<EngineStream> {
    signal.throwIfAborted();
    if (this.#closing.signal.aborted) throw closedError();
    const language = deepgramLanguage(options.language);
    if (language === undefined) {
      throw new EngineError("unsupported", `Deepgram does not know the language "${options.language}"`);
    }
    const { clock = systemClock, onProblem = () => undefined } = this.#options;
    const left = (options.keyterms?.length ?? 0) - usableKeyterms(options.keyterms ?? []).length;
    if (left > 0) onProblem(`${left} key terms are more than Deepgram takes, and were left out`);
    const connection = await this.#connect(options, language, signal);
    if (signal.aborted) connection.discard();
    signal.throwIfAborted();
    const stream = new DeepgramStream({
      connection,
      stream: options,
      clock,
      onProblem,
      onOver: () => {
        this.#streams.delete(stream);
        signal.removeEventListener("abort", abort);
      },
    });
    const abort = (): void => stream.abort();
    signal.addEventListener("abort", abort, { once: true });
    this.#streams.add(stream);
    stream.start();
    return stream;
  }

  health(): EngineHealth {
    if (this.#closing.signal.aborted) return { ready: false, detail: "closed" };
    if (this.#failure === undefined) return { ready: true, detail: `open streams: ${this.#streams.size}` };
    // What a retry may mend is for the lane to find out; an account that is refused stays so until someone acts.
    return { ready: this.#failure.retryable, detail: forHealth(this.#failure) };
  }

  close(): Promise<void> {
    this.#closing.abort();
    for (const stream of [...this.#streams]) stream.fail(closedError());
    return Promise.resolve();
  }

  async #connect(options: EngineStreamOptions, language: string, signal: AbortSignal) {
    const { apiKey, url, clock = systemClock } = this.#options;
    try {
      const { openConnection } = await import("./connection.ts");
      const query = listenQuery(options, language);
      const either = AbortSignal.any([signal, this.#closing.signal]);
      const connection = await openConnection({ apiKey, url, query, clock }, either);
      this.#failure = this.#lastProblem = undefined;
      return connection;
    } catch (error) {
      signal.throwIfAborted();
      if (this.#closing.signal.aborted) throw closedError();
      const failure =
        error instanceof EngineError
          ? error
          : new EngineError("internal", "the Deepgram SDK cannot be used", { cause: error });
      this.#tellProblem(forLog(failure));
      // A language that the account's model lacks says nothing about the next stream.
      if (failure.code !== "unsupported") this.#failure = failure;
      throw failure;
    }
  }

  /** Once for a row of streams that fail alike: lanes try again and again. */
  #tellProblem(problem: string): void {
    if (problem !== this.#lastProblem) this.#options.onProblem?.(problem);
    this.#lastProblem = problem;
  }
}

function closedError(): EngineError {
  return new EngineError("unavailable", "the Deepgram engine is closed");
}
