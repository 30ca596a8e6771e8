/**
 * A speech engine that hears marks instead of words: a run of samples of value k/1000 is the word "w<k>". What it says is
 * a function of the audio alone, wherever a stream begins, so a test can tell every word that was lost or said twice.
 */
import {
  EngineError,
  type EngineStream,
  type EngineStreamOptions,
  type EngineWord,
  type SpeechEngine,
} from "../../src/transcription/engines/speech-engine.ts";

export interface MarkerEngine extends SpeechEngine {
  /** Fails every open stream now, as a killed process would. */
  failStreams(error?: EngineError): void;
  /** What `open` rejects with, while set. */
  refuseWith: EngineError | undefined;
  readonly openStreams: number;
  /** Streams that were ever opened. */
  readonly opened: number;
}

const rate = 16_000;
/** Silence that ends an utterance. */
const hangoverSamples = rate * 0.2;

/** 16-bit audio of the given marks, each 300 ms long and followed by 100 ms of silence, then 500 ms of silence. */
export function markedAudio(marks: readonly number[]): Int16Array {
  const audio = new Int16Array(rate * (marks.length * 0.4 + 0.5));
  marks.forEach((mark, index) => {
    const start = rate * 0.4 * index;
    audio.fill(Math.round((mark / 1000) * 32_768), start, start + rate * 0.3);
  });
  return audio;
}

export function createMarkerEngine(): MarkerEngine {
  const streams = new Set<MarkerStream>();
  let opened = 0;
  return {
    name: "marker",
    sampleRateHz: rate,
    capabilities: {
      interimResults: true,
      wordTimes: "measured",
      confidence: false,
      fillers: "kept",
      languages: ["en"],
    },
    refuseWith: undefined,
    get openStreams() {
      return streams.size;
    },
    get opened() {
      return opened;
    },
    async open(options, signal) {
      signal.throwIfAborted();
      if (this.refuseWith) throw this.refuseWith;
      opened += 1;
      const stream = new MarkerStream(options, () => streams.delete(stream));
      streams.add(stream);
      signal.addEventListener("abort", () => stream.discard(), { once: true });
      return stream;
    },
    health: () => ({ ready: true, detail: "marker" }),
    failStreams(error = new EngineError("unavailable", "killed")) {
      for (const stream of [...streams]) stream.fail(error);
    },
    close: () => Promise.resolve(),
  };
}

class MarkerStream implements EngineStream {
  readonly #options: EngineStreamOptions;
  readonly #onOver: () => void;
  #position = 0;
  #words: EngineWord[] = [];
  #mark = 0;
  #markStart = 0;
  #silentSince = 0;
  #over: EngineError | undefined;

  constructor(options: EngineStreamOptions, onOver: () => void) {
    this.#options = options;
    this.#onOver = onOver;
  }

  async write(samples: Float32Array): Promise<void> {
    if (this.#over) throw this.#over;
    for (const sample of samples) this.#hear(Math.round(sample * 1000));
    if (this.#words.length > 0 && this.#mark === 0 && this.#options.interimResults) this.#interim();
    if (this.#words.length === 0 && this.#mark === 0) this.#boundary(this.#position);
  }

  async finalize(): Promise<void> {
    if (this.#over) throw this.#over;
    this.#endMark();
    this.#final();
    this.#boundary(this.#position);
  }

  async end(): Promise<void> {
    await this.finalize();
    this.#finish(new EngineError("internal", "ended"));
  }

  fail(error: EngineError): void {
    if (this.#over) return;
    this.#finish(error);
    this.#options.onError(error);
  }

  discard(): void {
    this.#finish(new EngineError("internal", "discarded"));
  }

  #finish(error: EngineError): void {
    this.#over ??= error;
    this.#onOver();
  }

  #hear(mark: number): void {
    if (mark !== this.#mark) {
      this.#endMark();
      this.#mark = mark;
      this.#markStart = this.#position;
    }
    this.#position += 1;
    if (mark === 0 && this.#words.length > 0 && this.#position - this.#silentSince >= hangoverSamples)
      this.#final();
  }

  #endMark(): void {
    if (this.#mark === 0) return;
    this.#words.push({ text: `w${this.#mark}`, startSample: this.#markStart, endSample: this.#position });
    this.#silentSince = this.#position;
    this.#mark = 0;
  }

  #interim(): void {
    const words = this.#words;
    this.#emit({
      type: "interim",
      startSample: words[0]!.startSample,
      text: textOf(words),
      words: [...words],
    });
  }

  #final(): void {
    const words = this.#words;
    const [first] = words;
    const last = words.at(-1);
    if (!first || !last) return;
    this.#words = [];
    this.#emit({
      type: "final",
      startSample: first.startSample,
      endSample: last.endSample,
      text: textOf(words),
      words,
      voiced: words.map(({ startSample, endSample }) => ({ startSample, endSample })),
    });
    this.#boundary(last.endSample);
  }

  #boundary(throughSample: number): void {
    this.#emit({ type: "boundary", throughSample });
  }

  #emit(event: Parameters<EngineStreamOptions["onEvent"]>[0]): void {
    if (!this.#over) this.#options.onEvent(event);
  }
}

function textOf(words: readonly EngineWord[]): string {
  return words.map((word) => word.text).join(" ");
}
