/**
 * Turns what Deepgram says on one connection into the events of an engine stream. It owns what was told so far: the
 * boundary, and whether somebody speaks. It never tells more than Deepgram accounted for.
 */
import type { EngineEvent, SampleSpan } from "../speech-engine.ts";
import { sampleRateHz } from "./listen-options.ts";
import { readWords, toSample, voicedSpans } from "./read-words.ts";
import type { DeepgramResults } from "./wire.ts";

export interface ResultReaderOptions {
  readonly interimResults: boolean;
  readonly diarize: boolean;
  readonly onEvent: (event: EngineEvent) => void;
}

/** 10 ms: what a result's end may lack for rounding, and too short for a word. */
export const roundingSamples = sampleRateHz / 100;
/** 100 ms: what may be left over where Deepgram itself says that it is done with everything it was sent. */
export const leftoverSamples = sampleRateHz / 10;

export class ResultReader {
  readonly #options: ResultReaderOptions;
  #boundary = 0;
  /** Where the last final ends by its own account: the boundary may be a little further. */
  #finalThrough = 0;
  /** How far Deepgram has come, in results of any kind. */
  #heardThrough = 0;
  #speaking = false;
  #lastSpeechSample = 0;
  #lastWordEnd = 0;

  constructor(options: ResultReaderOptions) {
    this.#options = options;
  }

  /** Every word before it was delivered in a final. */
  get boundary(): number {
    return this.#boundary;
  }

  get heardThrough(): number {
    return this.#heardThrough;
  }

  /** `sentSamples`: what Deepgram was sent. Returns where the result ends, by Deepgram's account. */
  take(results: DeepgramResults, sentSamples: number): number {
    const resultEnd = toSample(results.start + results.duration);
    const covered = resultEnd + roundingSamples >= sentSamples ? sentSamples : resultEnd;
    this.#heardThrough = Math.max(this.#heardThrough, covered);
    const range = { startSample: this.#boundary, endSample: covered };
    if (results.is_final) this.#final(results, range);
    else this.#interim(results, range);
    return covered;
  }

  /** Deepgram is done with everything before this sample. */
  advance(throughSample: number): void {
    this.#heardThrough = Math.max(this.#heardThrough, throughSample);
    if (throughSample <= this.#boundary) return;
    this.#boundary = throughSample;
    this.#options.onEvent({ type: "boundary", throughSample });
  }

  speechStarted(timestampSeconds: number, sentSamples: number): void {
    this.#setSpeaking(true, Math.min(toSample(timestampSeconds), sentSamples));
  }

  /** Comes about a second late: by then the next words may have begun. */
  utteranceEnded(lastWordEndSeconds: number): void {
    if (toSample(lastWordEndSeconds) + roundingSamples >= this.#lastSpeechSample) this.speechEnded();
  }

  speechEnded(): void {
    this.#setSpeaking(false, this.#lastWordEnd);
  }

  /** A final that was sent twice lies before the boundary, and says nothing new. */
  #final(results: DeepgramResults, range: SampleSpan): void {
    if (range.endSample <= range.startSample) return;
    const words = this.#wordsOf(results, range);
    const [first] = words;
    const last = words.at(-1);
    if (first && last) {
      this.#heardWords(first.startSample, last.endSample);
      this.#options.onEvent({
        type: "final",
        startSample: first.startSample,
        endSample: last.endSample,
        text: words.map((word) => word.text).join(" "),
        words,
        voiced: voicedSpans(words),
      });
    }
    this.#finalThrough = range.endSample;
    // Results follow each other without a gap; where one is missing, Deepgram went on past audio without speech.
    this.advance(range.endSample);
    const wasNoSpeech = !first && range.endSample > this.#lastSpeechSample;
    if (results.speech_final || wasNoSpeech) this.speechEnded();
  }

  #interim(results: DeepgramResults, range: SampleSpan): void {
    if (range.endSample <= range.startSample) return;
    const words = this.#wordsOf(results, range);
    const [first] = words;
    const last = words.at(-1);
    // An interim that turns out to be nothing is taken back by the boundary of its final.
    if (!first || !last) return;
    this.#heardWords(first.startSample, last.endSample);
    if (!this.#options.interimResults) return;
    const text = words.map((word) => word.text).join(" ");
    this.#options.onEvent({ type: "interim", startSample: first.startSample, text, words });
  }

  #wordsOf({ channel }: DeepgramResults, range: SampleSpan) {
    const { words = [] } = channel.alternatives[0] ?? {};
    return readWords(words, { ...range, newFrom: this.#finalThrough }, this.#options.diarize);
  }

  #heardWords(firstStart: number, lastEnd: number): void {
    this.#setSpeaking(true, firstStart);
    this.#lastWordEnd = lastEnd;
  }

  #setSpeaking(speaking: boolean, atSample: number): void {
    if (speaking === this.#speaking) return;
    this.#speaking = speaking;
    this.#lastSpeechSample = Math.max(this.#lastSpeechSample, atSample);
    this.#options.onEvent({
      type: "speech",
      state: speaking ? "started" : "ended",
      atSample: this.#lastSpeechSample,
    });
  }
}
