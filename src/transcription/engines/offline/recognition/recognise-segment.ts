/** From the audio of a segment to words with times and confidence, or to nothing when it was not speech after all. */
import type { EngineWord, SampleSpan } from "../../speech-engine.ts";
import { decodeSpeech, type Decoding } from "./decode-speech.ts";
import type { Moonshine } from "./moonshine.ts";
import { wordsOf, type TokenWord } from "./token-text.ts";
import type { ToldSpeech } from "./told-words.ts";
import { wordTimes } from "./word-times.ts";

export interface SegmentAudio {
  readonly samples: Float32Array;
  /** Position of the first sample in the stream. */
  readonly startSample: number;
  /** In the stream's positions. */
  readonly voiced: readonly SampleSpan[];
  /** How the audio begins, where that was told before: only what comes after it is wanted. */
  readonly told?: Pick<ToldSpeech, "tokens" | "throughSample"> | undefined;
}

export interface Recognition {
  /** Empty when nothing was said. */
  readonly text: string;
  readonly words: readonly EngineWord[];
  /** The guess for the next decoding of the same segment. */
  readonly tokens: readonly number[];
  /** Of each word, where it begins in `tokens`. */
  readonly firstTokens: readonly number[];
}

/** Below this mean log-probability a text is the model's imagination: noise gives less, mumbled speech more. */
const leastMeanLogProbability = -1.2;
/** Quieter segments are raised to this peak before decoding, by at most `maxGain`. */
const nominalPeak = 0.4;
const maxGain = 100;

export interface RecogniseOptions {
  readonly guess: readonly number[];
  readonly cancelled: () => boolean;
}

/** Undefined when cancelled. `pieces` is the model's vocabulary. */
export async function recogniseSegment(
  moonshine: Moonshine,
  pieces: readonly string[],
  audio: SegmentAudio,
  options: RecogniseOptions,
): Promise<Recognition | undefined> {
  const told = audio.told?.tokens ?? [];
  const decoding = await decodeSpeech(moonshine, raised(audio.samples), { ...options, told });
  if (decoding === undefined) return undefined;
  const words = wordsBehind(told.length, decoding.tokens, pieces);
  if (!isSpeech(decoding.logProbabilities.slice(told.length), words))
    return { text: "", words: [], tokens: [...told], firstTokens: [] };
  const voiced = audio.voiced.map((span) => ({
    startSample: span.startSample - audio.startSample,
    endSample: span.endSample - audio.startSample,
  }));
  const fromSample = Math.max(0, (audio.told?.throughSample ?? 0) - audio.startSample);
  const times = wordTimes(decoding, words, { lengthSamples: audio.samples.length, voiced, fromSample });
  return {
    text: words.map((word) => word.text).join(" "),
    words: words.map((word, index) => ({
      text: word.text,
      startSample: audio.startSample + (times[index]?.startSample ?? 0),
      endSample: audio.startSample + (times[index]?.endSample ?? 0),
      confidence: confidence(decoding, word),
    })),
    tokens: decoding.tokens,
    firstTokens: words.map((word) => word.firstToken),
  };
}

/**
 * The words behind the first `told` tokens. A mark that only ends what was told is none, and what the model writes as a
 * continuation of it ("cold", "-hearted") is a word of its own.
 */
function wordsBehind(told: number, tokens: readonly number[], pieces: readonly string[]): TokenWord[] {
  return wordsOf(tokens.slice(told), pieces)
    .map(({ text, firstToken, endToken }, index) => ({
      text: told > 0 && index === 0 ? text.replace(/^-+/, "") : text,
      firstToken: firstToken + told,
      endToken: endToken + told,
    }))
    .filter((word, index) => told === 0 || index > 0 || hasLetters(word.text));
}

function hasLetters(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

function isSpeech(logProbabilities: readonly number[], words: readonly TokenWord[]): boolean {
  if (!words.some((word) => hasLetters(word.text))) return false;
  const total = logProbabilities.reduce((sum, value) => sum + value, 0);
  return total / logProbabilities.length >= leastMeanLogProbability;
}

/** Geometric mean of the word's token probabilities. */
function confidence(decoding: Decoding, word: TokenWord): number {
  const values = decoding.logProbabilities.slice(word.firstToken, word.endToken);
  return Math.exp(values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length));
}

function raised(samples: Float32Array): Float32Array {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  if (peak === 0 || peak >= nominalPeak / 2) return samples;
  const gain = Math.min(maxGain, nominalPeak / peak);
  return samples.map((sample) => sample * gain);
}
