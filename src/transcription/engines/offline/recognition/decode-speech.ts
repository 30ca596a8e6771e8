/**
 * Greedy decoding of one segment, started from a guess. The guess (what an earlier decoding of less audio gave) is fed
 * in a single step; as much of it as the model would have chosen itself is kept, and only the rest is decoded token by
 * token. A good guess makes a decoding several times cheaper, and a bad one costs one step.
 *
 * The text is that of plain greedy decoding but for near ties: the model scales its 8-bit activations over all tokens
 * of a step, so they may fall either way. The start token, whose activations are far larger than all others, is fed
 * alone for that reason.
 */
import { alignmentHeads } from "./alignment-heads.ts";
import { attentionLayers } from "../model/derive-decoder.ts";
import {
  endToken,
  headCount,
  startToken,
  truncateMemory,
  vocabularySize,
  type DecoderStep,
  type Moonshine,
} from "./moonshine.ts";

/** Nobody speaks faster than this for long; without a bound a decoding that loops would never end. */
const maxTokensPerSecond = 6.5;
const minTokenLimit = 6;

export interface Decoding {
  readonly tokens: readonly number[];
  /** Natural logarithm of the probability that the model gave each token. */
  readonly logProbabilities: readonly number[];
  /** For each token and for the end: one row of `frames` for each alignment head, one after the other. */
  readonly attention: readonly Float32Array[];
  readonly frames: number;
  /** False when the token limit or a repetition ended it, not the model. */
  readonly complete: boolean;
}

export interface DecodeOptions {
  readonly guess?: readonly number[];
  /** What the text begins with, whatever the model would have chosen: it was told before. */
  readonly told?: readonly number[];
  /** Asked between steps; true gives up. */
  readonly cancelled?: () => boolean;
}

/** Undefined when cancelled. `samples` are mono at 16 kHz, at least 0.1 s. */
export async function decodeSpeech(
  moonshine: Moonshine,
  samples: Float32Array,
  options: DecodeOptions = {},
): Promise<Decoding | undefined> {
  const speech = await moonshine.encode(samples);
  const told = options.told ?? [];
  const limit = Math.max(
    told.length + minTokenLimit,
    Math.ceil((samples.length / 16000) * maxTokensPerSecond),
  );
  const guess = startsWith(options.guess ?? [], told).slice(0, limit);
  const tokens: number[] = [];
  const logProbabilities: number[] = [];
  const attention: Float32Array[] = [];

  let fed: readonly number[] = [startToken];
  let step = await moonshine.step(speech, fed);
  let row = 0;
  for (;;) {
    const best = chosenToken(step.logits, row, told[tokens.length]);
    attention.push(attentionRow(step, row, fed.length, speech.frames));
    if (best.token === endToken)
      return { tokens, logProbabilities, attention, frames: speech.frames, complete: true };
    if (tokens.length >= limit || (tokens.length > told.length && repeats(tokens))) break;
    tokens.push(best.token);
    logProbabilities.push(best.logProbability);
    if (row + 1 < fed.length && fed[row + 1] === best.token) {
      row++;
      continue;
    }
    if (options.cancelled?.() === true) return undefined;
    const memory = truncateMemory(step.memory, tokens.length);
    fed = tokens.length === 1 && guess[0] === best.token ? guess : [best.token];
    row = 0;
    step = await moonshine.step(speech, fed, memory);
  }
  return { tokens, logProbabilities, attention, frames: speech.frames, complete: false };
}

function startsWith(guess: readonly number[], told: readonly number[]): readonly number[] {
  return told.every((token, index) => guess[index] === token) ? guess : told;
}

/** The most probable token of the row, or the one that is forced. */
function chosenToken(
  logits: Float32Array,
  row: number,
  forced: number | undefined,
): { token: number; logProbability: number } {
  const from = row * vocabularySize;
  const to = from + vocabularySize;
  let at = from;
  let highest = -Infinity;
  for (let index = from; index < to; index++) {
    const value = logits[index] ?? -Infinity;
    if (value > highest) {
      highest = value;
      at = index;
    }
  }
  // Terms below e^-16 cannot move the sum by as much as one percent.
  const floor = highest - 16;
  let sum = 0;
  for (let index = from; index < to; index++) {
    const value = logits[index] ?? -Infinity;
    if (value > floor) sum += Math.exp(value - highest);
  }
  const token = forced ?? at - from;
  return { token, logProbability: (logits[from + token] ?? -Infinity) - highest - Math.log(sum) };
}

function attentionRow(step: DecoderStep, row: number, rows: number, frames: number): Float32Array {
  const result = new Float32Array(alignmentHeads.length * frames);
  alignmentHeads.forEach(({ layer, head }, index) => {
    const weights = step.attention[attentionLayers.indexOf(layer)];
    if (weights?.length !== headCount * rows * frames)
      throw new Error("the model gave attention of another shape");
    const from = (head * rows + row) * frames;
    result.set(weights.subarray(from, from + frames), index * frames);
  });
  return result;
}

/** Whether the text has begun to loop: its last one to eight tokens stand there several times in a row. */
export function repeats(tokens: readonly number[]): boolean {
  for (let period = 1; period <= 8; period++) {
    const times = period === 1 ? 7 : period <= 3 ? 5 : 4;
    const span = period * times;
    if (tokens.length < span) continue;
    const tail = tokens.slice(-span);
    if (tail.every((token, index) => index < period || token === tail[index - period])) return true;
  }
  return false;
}
