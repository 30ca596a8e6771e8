/**
 * One stream inside a child process: audio in, detector, segmenter, and the decodings that are due. It does one piece
 * of work when asked and never decides when: that is the work loop's part. Above 300 lines because every decoding reads
 * and moves the same few positions.
 */
import type { EngineEvent, EngineWord, SampleSpan } from "../../speech-engine.ts";
import { recogniseSegment, type Recognition } from "./recognise-segment.ts";
import type { Moonshine } from "./moonshine.ts";
import { spansWithin, totalSamples } from "./sample-spans.ts";
import { SampleWindow } from "./sample-window.ts";
import { Segmenter, type SegmenterEvent } from "./segmenter.ts";
import { tellWords, type ToldSpeech } from "./told-words.ts";
import { vadFrameSamples, type VoiceActivityStream } from "./voice-activity.ts";

export const sampleRateHz = 16_000;

/** A client may keep what lies after the last boundary, so it moves this often during silence. */
const boundaryStepSamples = sampleRateHz / 2;
/** First interim after so much speech, the next when it has grown by this factor and this much. */
const firstInterimSamples = 0.4 * sampleRateHz;
const interimGrowth = 1.22;
/** When there was nothing to show yet, the next try comes sooner. */
const interimRetrySamples = 0.2 * sampleRateHz;
const interimStepSamples = 0.5 * sampleRateHz;
/** With more unread audio than this, captions come from finals alone. */
const interimBacklogSamples = 0.6 * sampleRateHz;
/** With less voice in it, a segment that is still open has no complete words. */
const leastToldSamples = 0.3 * sampleRateHz;
/** With less voice in it, the rest of a segment behind what was told is only the end of that. */
const leastRestSamples = 0.1 * sampleRateHz;
/** Segments that may wait for decoding before no more audio is read. */
const maxWaitingSegments = 2;

const nothingHeard: Recognition = { text: "", words: [], tokens: [], firstTokens: [] };

export interface StreamParts {
  readonly moonshine: Moonshine;
  readonly pieces: readonly string[];
  readonly voiceActivity: VoiceActivityStream;
}

export interface StreamSink {
  event(event: EngineEvent): void;
  taken(throughSample: number): void;
  finalized(): void;
}

type Input = Float32Array | "flush" | "end";
type Waiting =
  /** A segment that is still open at a flush: its complete words are told. */
  | { readonly type: "open"; readonly range: SampleSpan; readonly voiced: readonly SampleSpan[] }
  | { readonly type: "segment"; readonly range: SampleSpan; readonly voiced: readonly SampleSpan[] }
  | { readonly type: "flush" };

/** What a stream could do next, most urgent first. */
export type Urgency = "final" | "likely-final" | "interim";

export class RecognitionStream {
  readonly #parts: StreamParts;
  readonly #sink: StreamSink;
  readonly #wantsInterims: boolean;
  readonly #segmenter = new Segmenter({ sampleRateHz });
  readonly #audio = new SampleWindow();
  readonly #frame = new Float32Array(vadFrameSamples);
  #inputs: Input[] = [];
  #unreadSamples = 0;
  #readSamples = 0;
  #frameFill = 0;
  #waiting: Waiting[] = [];
  #boundary = 0;
  /** What was told of the segment that begins there before it ended. */
  #told: (ToldSpeech & { readonly segmentStart: number }) | undefined;
  #paused: Extract<SegmenterEvent, { type: "paused" }> | undefined;
  #ahead: { readonly range: SampleSpan; readonly result: Recognition } | undefined;
  #guess: readonly number[] = [];
  #nextInterimSample = Infinity;
  #aborted = false;

  constructor(parts: StreamParts, sink: StreamSink, interimResults: boolean) {
    this.#parts = parts;
    this.#sink = sink;
    this.#wantsInterims = interimResults;
  }

  write(samples: Float32Array): void {
    this.#inputs.push(samples);
    this.#unreadSamples += samples.length;
  }

  /** What is complete becomes finals; `finalized` follows their events. */
  flush(): void {
    this.#inputs.push("flush");
  }

  /** Everything written becomes finals, also what was begun; `finalized` follows their events. Nothing may follow. */
  end(): void {
    this.#inputs.push("end");
  }

  /** No more events; a decoding in progress gives up at its next step. */
  abort(): void {
    this.#aborted = true;
    this.#inputs = [];
    this.#waiting = [];
  }

  get canRead(): boolean {
    return !this.#aborted && this.#inputs.length > 0 && this.#waiting.length < maxWaitingSegments;
  }

  /** The most urgent decoding that is due, if any. */
  get due(): Urgency | undefined {
    if (this.#aborted) return undefined;
    if (this.#waiting.length > 0) return "final";
    if (this.#unreadSamples > interimBacklogSamples) return undefined;
    if (this.#paused !== undefined) return "likely-final";
    return this.#wantsInterims && this.#audio.end >= this.#nextInterimSample ? "interim" : undefined;
  }

  /** Reads up to so many samples of input through the detector. */
  async read(maxSamples: number): Promise<void> {
    let left = maxSamples;
    while (left > 0 && this.canRead) {
      const input = this.#inputs[0];
      if (input === undefined) break;
      if (input === "flush" || input === "end") {
        this.#inputs.shift();
        await (input === "end" ? this.#readEnd() : this.#readFlush());
        continue;
      }
      const part = input.subarray(0, vadFrameSamples - this.#frameFill);
      if (part.length === input.length) this.#inputs.shift();
      else this.#inputs[0] = input.subarray(part.length);
      this.#frame.set(part, this.#frameFill);
      this.#frameFill += part.length;
      this.#unreadSamples -= part.length;
      this.#readSamples += part.length;
      left -= part.length;
      if (this.#frameFill === vadFrameSamples) await this.#readFrame();
    }
    if (!this.#aborted) this.#sink.taken(this.#readSamples);
  }

  /** Does the decoding that `due` named. */
  async decode(): Promise<void> {
    const urgency = this.due;
    if (urgency === "final") await this.#decodeWaiting();
    else if (urgency === "likely-final") await this.#decodeAhead();
    else if (urgency === "interim") await this.#decodeInterim();
  }

  /** The rest of a frame is left for later while somebody speaks: the detector takes a short one for silence. */
  async #readFlush(): Promise<void> {
    if (this.#frameFill > 0 && !this.#segmenter.mayBeSpeaking) await this.#readFrame();
    this.#apply(this.#segmenter.flush());
    const startSample = this.#segmenter.segmentStart;
    if (startSample !== undefined) {
      const range = { startSample, endSample: this.#audio.end };
      this.#waiting.push({ type: "open", range, voiced: this.#segmenter.openVoiced });
    }
    this.#waiting.push({ type: "flush" });
  }

  async #readEnd(): Promise<void> {
    if (this.#frameFill > 0) await this.#readFrame();
    this.#apply(this.#segmenter.end());
    this.#waiting.push({ type: "flush" });
  }

  /** Takes the frame, which is short only where a flush found silence, and at the end. */
  async #readFrame(): Promise<void> {
    const length = this.#frameFill;
    this.#frame.fill(0, length);
    this.#frameFill = 0;
    const probability = await this.#parts.voiceActivity.probability(this.#frame);
    if (this.#aborted) return;
    const startSample = this.#audio.end;
    const samples = this.#frame.subarray(0, length);
    this.#audio.append(samples);
    const frame = { startSample, endSample: startSample + length, probability, levelDb: levelDb(samples) };
    this.#apply(this.#segmenter.push(frame));
    this.#advance(false);
  }

  #apply(events: readonly SegmenterEvent[]): void {
    for (const event of events) {
      switch (event.type) {
        case "started":
          this.#sink.event({ type: "speech", state: "started", atSample: event.atSample });
          this.#nextInterimSample = event.atSample + firstInterimSamples;
          break;
        case "ended":
          this.#sink.event({ type: "speech", state: "ended", atSample: event.atSample });
          this.#nextInterimSample = Infinity;
          this.#paused = undefined;
          break;
        case "paused":
          this.#paused = event;
          break;
        case "segment":
          this.#paused = undefined;
          this.#waiting.push(event);
          if (this.#segmenter.segmentStart !== undefined) {
            this.#nextInterimSample = this.#audio.end + firstInterimSamples;
          }
          break;
      }
    }
  }

  /** Moves the boundary as far as is true. */
  #advance(always: boolean): void {
    const head = this.#waiting.find((waiting) => waiting.type !== "flush");
    const startSample = Math.min(head?.range.startSample ?? Infinity, this.#segmenter.earliestStart);
    const told = this.#toldOf(startSample);
    this.#audio.dropBefore(told?.contextStart ?? startSample);
    const through = told?.throughSample ?? startSample;
    if (through < this.#boundary + (always ? 1 : boundaryStepSamples)) return;
    this.#boundary = through;
    this.#sink.event({ type: "boundary", throughSample: through });
  }

  async #decodeWaiting(): Promise<void> {
    const head = this.#waiting[0];
    if (head?.type === "open" && !(await this.#decodeOpen(head.range, head.voiced))) return;
    if (head?.type === "segment") {
      const ahead = this.#ahead;
      const known =
        ahead?.range.startSample === head.range.startSample && ahead.range.endSample === head.range.endSample;
      const result = known ? ahead.result : await this.#recogniseAll(head.range, head.voiced);
      if (result === undefined) return;
      this.#guess = [];
      this.#ahead = undefined;
      this.#sendFinal(this.#untold(head.range), result.words, head.voiced);
    }
    this.#waiting.shift();
    this.#advance(true);
    if (head?.type === "flush") this.#sink.finalized();
  }

  /** Tells the complete words of a segment that goes on, and shows the others. False when cancelled. */
  async #decodeOpen(range: SampleSpan, voiced: readonly SampleSpan[]): Promise<boolean> {
    const isShort = totalSamples(voiced) < leastToldSamples;
    const result = isShort ? nothingHeard : await this.#recognise(range, voiced);
    if (result === undefined) return false;
    const untold = this.#untold(range);
    const { count, told } = tellWords(result, range, this.#toldOf(range.startSample));
    this.#told = { ...told, segmentStart: range.startSample };
    this.#segmenter.told(told.throughSample);
    this.#ahead = undefined;
    this.#sendFinal({ ...untold, endSample: told.throughSample }, result.words.slice(0, count), voiced);
    const words = result.words
      .slice(count)
      .map((word) => ({ ...word, startSample: Math.max(word.startSample, told.throughSample) }));
    if (!isShort) this.#showInterim(told.throughSample, { ...result, text: joined(words), words });
    return true;
  }

  #sendFinal(range: SampleSpan, words: readonly EngineWord[], voiced: readonly SampleSpan[]): void {
    if (words.length === 0) return;
    this.#sink.event({
      type: "final",
      ...range,
      text: joined(words),
      words,
      voiced: spansWithin(voiced, range),
    });
  }

  #toldOf(segmentStart: number): ToldSpeech | undefined {
    return this.#told?.segmentStart === segmentStart ? this.#told : undefined;
  }

  /** What is left of a segment behind what was told of it. */
  #untold(range: SampleSpan): SampleSpan {
    return { ...range, startSample: this.#toldOf(range.startSample)?.throughSample ?? range.startSample };
  }

  async #decodeAhead(): Promise<void> {
    if (this.#paused === undefined) return;
    const { range, voiced } = this.#paused;
    this.#paused = undefined;
    const result = await this.#recogniseAll(range, voiced);
    if (result === undefined) return;
    this.#ahead = { range, result };
    this.#showInterim(this.#untold(range).startSample, result);
  }

  async #decodeInterim(): Promise<void> {
    const startSample = this.#segmenter.segmentStart;
    const endSample = this.#audio.end;
    this.#nextInterimSample = Infinity;
    if (startSample === undefined) return;
    const result = await this.#recognise({ startSample, endSample }, this.#segmenter.openVoiced);
    if (result === undefined) return;
    this.#showInterim(this.#untold({ startSample, endSample }).startSample, result);
    this.#nextInterimSample =
      result.text === ""
        ? endSample + interimRetrySamples
        : Math.max(endSample + interimStepSamples, startSample + (endSample - startSample) * interimGrowth);
  }

  #showInterim(startSample: number, result: Recognition): void {
    this.#guess = result.tokens;
    if (!this.#wantsInterims || result.text === "") return;
    this.#sink.event({ type: "interim", startSample, text: result.text, words: result.words });
  }

  /** Never silent about speech: what was told and what is heard now may not fit together. */
  async #recogniseAll(range: SampleSpan, voiced: readonly SampleSpan[]): Promise<Recognition | undefined> {
    const result = await this.#recognise(range, voiced);
    const told = this.#toldOf(range.startSample);
    if (result === undefined || result.text !== "" || told === undefined) return result;
    if (totalSamples(spansWithin(voiced, this.#untold(range))) < leastRestSamples) return result;
    const { throughSample } = told;
    this.#told = {
      segmentStart: range.startSample,
      contextStart: throughSample,
      tokens: [],
      starts: [],
      throughSample,
    };
    return this.#recognise(range, voiced);
  }

  async #recognise(range: SampleSpan, voiced: readonly SampleSpan[]): Promise<Recognition | undefined> {
    const told = this.#toldOf(range.startSample);
    const startSample = told?.contextStart ?? range.startSample;
    const samples = this.#audio.slice(startSample, range.endSample);
    const { moonshine, pieces } = this.#parts;
    return recogniseSegment(
      moonshine,
      pieces,
      { samples, startSample, voiced, told },
      { guess: this.#guess, cancelled: () => this.#aborted },
    );
  }
}

function joined(words: readonly EngineWord[]): string {
  return words.map((word) => word.text).join(" ");
}

function levelDb(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-10);
}
