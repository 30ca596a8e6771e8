/**
 * Which words of a segment can be told while it still goes on, and what the decodings that follow need so that no word
 * is cut: they hear the end of what was told once more, are held to those words, and go on behind them. Pure.
 */
import type { SampleSpan } from "../../speech-engine.ts";
import type { Recognition } from "./recognise-segment.ts";

/** The beginning of a segment that was told before its end. */
export interface ToldSpeech {
  /** Decodings of the segment begin here, and with these tokens. */
  readonly contextStart: number;
  readonly tokens: readonly number[];
  /** The words that the tokens are: where each begins, in the stream and in `tokens`. */
  readonly starts: readonly { readonly startSample: number; readonly firstToken: number }[];
  /** What begins before this was told, but for a word longer than what may be kept. What is new lies behind it. */
  readonly throughSample: number;
}

export interface ToldWords {
  /** The first so many words are told. */
  readonly count: number;
  readonly told: ToldSpeech;
}

/** So much at the end may be kept back, 960 ms: with what does not fill a frame, less than a second. */
const maxKeptSamples = 15_360;
/** Words that end within the last 400 ms are those that more audio changes most. */
const unsureSamples = 6_400;
/** At least so much of what was told is heard again. */
const contextSamples = 32_000;

/** From a decoding of the segment as far as it goes. `before`: what had been told when it was made. */
export function tellWords(result: Recognition, range: SampleSpan, before: ToldSpeech | undefined): ToldWords {
  const { words, tokens, firstTokens } = result;
  const keptFrom = range.endSample - maxKeptSamples;
  const sure = words.filter((word, index) =>
    index < words.length - 1 ? word.endSample <= range.endSample - unsureSamples : word.endSample <= keptFrom,
  );
  const count = sure.length;
  const from = before?.throughSample ?? range.startSample;
  const next = count === 0 ? from : (words[count]?.startSample ?? words.at(-1)?.endSample ?? from);
  const throughSample = Math.max(next, keptFrom);
  const toldTokens = count === 0 ? (before?.tokens ?? []) : tokens.slice(0, firstTokens[count]);
  const fresh = words.slice(0, count).map((word, index) => ({
    startSample: word.startSample,
    firstToken: firstTokens[index] ?? 0,
  }));
  const starts = [...(before?.starts ?? []), ...fresh];
  const context = starts.findLast((word) => word.startSample <= throughSample - contextSamples);
  const firstToken = context?.firstToken ?? 0;
  return {
    count,
    told: {
      throughSample,
      contextStart: context?.startSample ?? before?.contextStart ?? range.startSample,
      tokens: toldTokens.slice(firstToken),
      starts: starts
        .filter((word) => word.firstToken >= firstToken)
        .map((word) => ({ ...word, firstToken: word.firstToken - firstToken })),
    },
  };
}
