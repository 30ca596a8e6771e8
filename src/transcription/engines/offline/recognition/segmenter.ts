/**
 * Cuts a stream into segments of speech from the voice probability and loudness of its frames. Pure: frames in, events
 * out, no audio, no clock. Segments are in order and never overlap; between them there is no speech.
 */
import type { SampleSpan } from "../../speech-engine.ts";

export interface VoiceFrame {
  readonly startSample: number;
  readonly endSample: number;
  /** Probability of speech, 0 to 1. */
  readonly probability: number;
  /** Loudness in dBFS. */
  readonly levelDb: number;
}

export type SegmenterEvent =
  | { readonly type: "started"; readonly atSample: number }
  | { readonly type: "ended"; readonly atSample: number }
  /** A pause that is likely to become the end; the range is what the segment would then be. */
  | { readonly type: "paused"; readonly range: SampleSpan; readonly voiced: readonly SampleSpan[] }
  | { readonly type: "segment"; readonly range: SampleSpan; readonly voiced: readonly SampleSpan[] };

export interface SegmenterOptions {
  readonly sampleRateHz: number;
}

/** Probability from which a frame may open a segment, and from which it keeps one open. */
const openProbability = 0.5;
const keepProbability = 0.35;
/** Frames of openProbability, among the last three, that open a segment: a click is one. */
const openFrames = 2;
/** Frames of openProbability without which a segment is not speech. */
const minVoicedFrames = 3;
/** The detector is late on soft beginnings and early on soft ends: so much is added, at most. */
const preRollMs = 400;
const postRollMs = 190;
const pauseMs = 220;
const hangOverMs = 540;
/** From the soft limit on any short dip is good enough to cut at; at the hard limit the best place of the last seconds. */
const softLimitMs = 12_000;
const eagerLimitMs = 14_000;
const hardLimitMs = 16_500;
const cutSearchMs = 6_000;
/** After so much silence a flush takes the words before it for complete. The detector itself is about 100 ms late. */
const settledMs = 60;
/** A word may be beginning where the last frames are so much like speech, or so much louder than those before. */
const doubtProbability = 0.1;
const doubtRiseDb = 6;
const doubtFrames = 3;
/** Voiced spans closer than this are one, and shorter ones are none. */
const spanGapMs = 100;
const spanMinMs = 60;

export class Segmenter {
  readonly #perMs: number;
  #frames: VoiceFrame[] = [];
  #open = false;
  #paused = false;
  /** Nothing before this can become part of a segment any more. */
  #closedThrough = 0;
  #voiceReported = false;
  #toldThrough = 0;

  constructor(options: SegmenterOptions) {
    this.#perMs = options.sampleRateHz / 1000;
  }

  /** Where the open segment begins; undefined between segments. */
  get segmentStart(): number | undefined {
    return this.#open ? this.#frames[0]?.startSample : undefined;
  }

  /** Every segment that is still to come, the open one included, begins here or later. */
  get earliestStart(): number {
    return Math.max(this.#closedThrough, this.#frames[0]?.startSample ?? 0);
  }

  /** Where there is voice in the open segment so far. */
  get openVoiced(): SampleSpan[] {
    return this.#voicedSpans(this.#frames);
  }

  push(frame: VoiceFrame): SegmenterEvent[] {
    this.#frames.push(frame);
    return this.#open ? this.#continue() : this.#wait();
  }

  /** Whether somebody speaks where the audio ends, or may just be beginning to. */
  get mayBeSpeaking(): boolean {
    if (!this.#open) return this.#mayBegin();
    return this.#silence() < this.#samples(settledMs) || !isSpeech(this.#frames);
  }

  /** The words before this were told while their segment was open: a cut is to come behind them. */
  told(throughSample: number): void {
    this.#toldThrough = throughSample;
  }

  /** In mid-stream: ends the open segment unless somebody speaks, and gives up what cannot be the beginning of one. */
  flush(): SegmenterEvent[] {
    if (this.#open && this.mayBeSpeaking) return [];
    const events = this.#open ? this.#close(this.#settledEnd()) : [];
    if (!this.#mayBegin()) this.#seal();
    return events;
  }

  /** Ends the open segment where the audio ends; nothing follows. */
  end(): SegmenterEvent[] {
    const end = this.#frames.at(-1)?.endSample ?? 0;
    const events = this.#open ? this.#close(end) : [];
    this.#seal();
    return events;
  }

  #wait(): SegmenterEvent[] {
    const recent = this.#frames.slice(-3);
    if (recent.filter((frame) => frame.probability >= openProbability).length < openFrames) {
      const keep = this.#samples(preRollMs) + 3 * frameLength(this.#frames);
      const end = this.#frames.at(-1)?.endSample ?? 0;
      while ((this.#frames[0]?.startSample ?? end) < end - keep) this.#frames.shift();
      return [];
    }
    const onset = this.#frames.findIndex(
      (frame, index) => frame.probability >= keepProbability && index >= this.#frames.length - 6,
    );
    const atSample = this.#frames[onset]?.startSample ?? 0;
    const from = Math.max(this.#closedThrough, atSample - this.#samples(preRollMs));
    this.#frames = this.#frames.filter((frame) => frame.startSample >= from);
    this.#open = true;
    this.#paused = false;
    this.#voiceReported = true;
    return [{ type: "started", atSample }];
  }

  #continue(): SegmenterEvent[] {
    const voicedEnd = this.#voicedEnd();
    const end = this.#frames.at(-1)?.endSample ?? 0;
    const silence = end - voicedEnd;
    if (silence === 0) this.#paused = false;
    if (silence >= this.#samples(hangOverMs)) {
      return this.#close(this.#endAfter(voicedEnd));
    }
    const start = this.#frames[0]?.startSample ?? 0;
    const cut = this.#cutPoint(end - start, voicedEnd, silence);
    if (cut !== undefined && cut >= this.#toldThrough) return this.#cut(cut);
    if (silence >= this.#samples(pauseMs) && !this.#paused) {
      this.#paused = true;
      const range = { startSample: start, endSample: this.#endAfter(voicedEnd) };
      return [{ type: "paused", range, voiced: this.openVoiced }];
    }
    return [];
  }

  #seal(): void {
    this.#closedThrough = this.#frames.at(-1)?.endSample ?? this.#closedThrough;
    this.#frames = [];
  }

  #mayBegin(): boolean {
    const last = this.#frames.slice(-doubtFrames);
    const before = this.#frames.slice(0, -doubtFrames);
    const floor = before.reduce((sum, frame) => sum + frame.levelDb, 0) / before.length;
    return last.some(
      (frame) => frame.probability >= doubtProbability || frame.levelDb >= floor + doubtRiseDb,
    );
  }

  #silence(): number {
    return (this.#frames.at(-1)?.endSample ?? 0) - this.#voicedEnd();
  }

  #voicedEnd(): number {
    const voiced = this.#frames.findLast((frame) => frame.probability >= keepProbability);
    return voiced?.endSample ?? this.#frames[0]?.startSample ?? 0;
  }

  /** Where the open segment ends when the silence after it is taken for its end. */
  #settledEnd(): number {
    const silence = this.#silence();
    const voicedEnd = this.#voicedEnd();
    if (silence >= this.#samples(pauseMs)) return this.#endAfter(voicedEnd);
    return (
      this.#frames.findLast((frame) => frame.endSample <= voicedEnd + silence / 2)?.endSample ?? voicedEnd
    );
  }

  /** The end of a segment whose last voiced frame ends there; on a frame's end, so that it is the same each time. */
  #endAfter(voicedEnd: number): number {
    const limit = voicedEnd + this.#samples(postRollMs);
    return this.#frames.findLast((frame) => frame.endSample <= limit)?.endSample ?? voicedEnd;
  }

  #close(endSample: number): SegmenterEvent[] {
    const events = this.#segment(endSample);
    const voiced = this.#frames.findLast((frame) => frame.probability >= keepProbability);
    if (this.#voiceReported)
      events.unshift({ type: "ended", atSample: Math.min(voiced?.endSample ?? endSample, endSample) });
    this.#frames = this.#frames.filter((frame) => frame.startSample >= endSample);
    this.#open = false;
    this.#paused = false;
    this.#voiceReported = false;
    this.#closedThrough = endSample;
    return events;
  }

  #cut(atSample: number): SegmenterEvent[] {
    const events = this.#segment(atSample);
    this.#frames = this.#frames.filter((frame) => frame.startSample >= atSample);
    this.#closedThrough = atSample;
    this.#paused = false;
    return events;
  }

  #segment(endSample: number): SegmenterEvent[] {
    const frames = this.#frames.filter((frame) => frame.endSample <= endSample);
    const startSample = frames[0]?.startSample;
    if (startSample === undefined || !isSpeech(frames)) return [];
    return [{ type: "segment", range: { startSample, endSample }, voiced: this.#voicedSpans(frames) }];
  }

  #cutPoint(length: number, voicedEnd: number, silence: number): number | undefined {
    if (length < this.#samples(softLimitMs)) return undefined;
    const frame = frameLength(this.#frames);
    const dip = length < this.#samples(eagerLimitMs) ? 3 : 2;
    if (silence >= dip * frame) {
      const middle = voicedEnd + silence / 2;
      return this.#frames.findLast((candidate) => candidate.endSample <= middle)?.endSample ?? voicedEnd;
    }
    return length < this.#samples(hardLimitMs) ? undefined : this.#quietestPoint();
  }

  /** The end of the frame, within the last seconds, around which three frames are least voiced and least loud. */
  #quietestPoint(): number | undefined {
    const last = this.#frames.length - 2;
    const first = Math.max(1, last - Math.round(this.#samples(cutSearchMs) / frameLength(this.#frames)));
    let best: { score: number; endSample: number } | undefined;
    for (let index = first; index < last; index++) {
      const around = this.#frames.slice(index - 1, index + 2);
      const score = around.reduce(
        (sum, frame) => sum + frame.probability * 10 + Math.max(frame.levelDb, -70),
        0,
      );
      const endSample = this.#frames[index]?.endSample ?? 0;
      if (endSample < this.#toldThrough) continue;
      if (best === undefined || score < best.score) best = { score, endSample };
    }
    return best?.endSample;
  }

  #voicedSpans(frames: readonly VoiceFrame[]): SampleSpan[] {
    const spans: { startSample: number; endSample: number }[] = [];
    for (const frame of frames) {
      if (frame.probability < keepProbability) continue;
      const last = spans.at(-1);
      if (last !== undefined && frame.startSample - last.endSample <= this.#samples(spanGapMs)) {
        last.endSample = frame.endSample;
      } else {
        spans.push({ startSample: frame.startSample, endSample: frame.endSample });
      }
    }
    return spans.filter((span) => span.endSample - span.startSample >= this.#samples(spanMinMs));
  }

  #samples(ms: number): number {
    return ms * this.#perMs;
  }
}

function isSpeech(frames: readonly VoiceFrame[]): boolean {
  return frames.filter((frame) => frame.probability >= openProbability).length >= minVoicedFrames;
}

function frameLength(frames: readonly VoiceFrame[]): number {
  const [first] = frames;
  return first === undefined ? 0 : first.endSample - first.startSample;
}
