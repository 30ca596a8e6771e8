/**
 * When each word was spoken, inferred from where the decoder looked while it wrote it: dynamic time warping of the
 * cross-attention of a few heads, as in Whisper's word timestamps (github.com/openai/whisper, whisper/timing.py), then
 * drawn to where there is voice.
 */
import type { SampleSpan } from "../../speech-engine.ts";
import type { Decoding } from "./decode-speech.ts";
import { frameSamples } from "./moonshine.ts";
import type { TokenWord } from "./token-text.ts";

/** Samples from the start of the audio to the point between encoder frame -1 and frame 0. */
const frameOriginSamples = 255;
const minWordSamples = 480;

export interface TimedAudio {
  readonly lengthSamples: number;
  readonly voiced: readonly SampleSpan[];
  /** The words lie behind this. Default 0. */
  readonly fromSample?: number;
}

/** Spans relative to the start of the decoded audio, one for each word, ascending, not overlapping. */
export function wordTimes(decoding: Decoding, words: readonly TokenWord[], audio: TimedAudio): SampleSpan[] {
  const starts = tokenStarts(decoding.attention, decoding.frames);
  const at = (token: number): number =>
    Math.min(audio.lengthSamples, (starts[token] ?? decoding.frames) * frameSamples + frameOriginSamples);
  const raw = words.map((word) => ({ startSample: at(word.firstToken), endSample: at(word.endToken) }));
  return tile(
    raw.map((span) => drawToVoice(span, audio.voiced)),
    audio.fromSample ?? 0,
    audio.lengthSamples,
  );
}

/** The first frame of each token, and of the end. */
function tokenStarts(attention: readonly Float32Array[], frames: number): Int32Array {
  return warp(normalise(attention, frames), attention.length, frames);
}

/**
 * One row a token: the mean over heads of the attention, standardised in each frame over the tokens, so that frames at
 * which every token looks a little count for nothing.
 */
function normalise(attention: readonly Float32Array[], frames: number): Float32Array {
  const rows = attention.length;
  const heads = (attention[0]?.length ?? 0) / frames;
  const result = new Float32Array(rows * frames);
  for (let column = 0; column < heads * frames; column++) {
    let sum = 0;
    let squares = 0;
    for (const row of attention) {
      const value = row[column] ?? 0;
      sum += value;
      squares += value * value;
    }
    const mean = sum / rows;
    const deviation = Math.sqrt(Math.max(squares / rows - mean * mean, 1e-12));
    const frame = column % frames;
    attention.forEach((row, index) => {
      const cell = index * frames + frame;
      result[cell] = (result[cell] ?? 0) + ((row[column] ?? 0) - mean) / deviation / heads;
    });
  }
  return result;
}

/** The monotonic path of the highest sum through a rows × columns matrix: the first column of each row. */
function warp(values: Float32Array, rows: number, columns: number): Int32Array {
  const width = columns + 1;
  const cost = new Float64Array((rows + 1) * width).fill(Infinity);
  const from = new Uint8Array((rows + 1) * width);
  cost[0] = 0;
  for (let row = 1; row <= rows; row++) {
    for (let column = 1; column <= columns; column++) {
      const cell = row * width + column;
      const diagonal = cost[cell - width - 1] ?? Infinity;
      const up = cost[cell - width] ?? Infinity;
      const left = cost[cell - 1] ?? Infinity;
      const least = Math.min(diagonal, up, left);
      from[cell] = least === diagonal ? 0 : least === up ? 1 : 2;
      cost[cell] = least - (values[(row - 1) * columns + column - 1] ?? 0);
    }
  }
  const starts = new Int32Array(rows);
  let row = rows;
  let column = columns;
  while (row > 0 && column > 0) {
    starts[row - 1] = column - 1;
    const step = from[row * width + column];
    if (step !== 2) row--;
    if (step !== 1) column--;
  }
  return starts;
}

/** A word does not begin or end in silence: its span shrinks to the voice within it, if there is any. */
function drawToVoice(span: SampleSpan, voiced: readonly SampleSpan[]): SampleSpan {
  const within = voiced
    .map((voice) => ({
      startSample: Math.max(voice.startSample, span.startSample),
      endSample: Math.min(voice.endSample, span.endSample),
    }))
    .filter((voice) => voice.endSample > voice.startSample);
  const first = within[0];
  const last = within.at(-1);
  if (first === undefined || last === undefined) return span;
  return { startSample: first.startSample, endSample: last.endSample };
}

/** Ascending, not overlapping, each of at least 30 ms where the audio has room, and inside it. */
function tile(spans: readonly SampleSpan[], fromSample: number, lengthSamples: number): SampleSpan[] {
  const room = Math.floor((lengthSamples - fromSample) / Math.max(1, spans.length));
  const least = Math.max(1, Math.min(minWordSamples, room));
  const starts: number[] = [];
  spans.forEach((span, index) => {
    const latest = lengthSamples - (spans.length - index) * least;
    const earliest = (starts.at(-1) ?? fromSample - least) + least;
    starts.push(Math.max(earliest, Math.min(Math.round(span.startSample), latest)));
  });
  return spans.map((span, index) => {
    const startSample = starts[index] ?? 0;
    const limit = starts[index + 1] ?? lengthSamples;
    return {
      startSample,
      endSample: Math.min(limit, Math.max(startSample + least, Math.round(span.endSample))),
    };
  });
}
