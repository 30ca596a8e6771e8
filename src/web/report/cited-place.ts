/** Where in the session something is that the report speaks of: words to show and a span to play. Pure. */
import type { Evidence } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { Word } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { wordsWithin } from "./transcript-rows.ts";
import type { WordRange } from "./transcript-rows.ts";

export interface CitedPlace {
  /** Undefined where nothing was said, or the transcript is not there. */
  readonly words: WordRange | undefined;
  readonly startMs: number;
  readonly endMs: number;
}

/** Undefined for what is about the whole. */
export function placeOf(evidence: Evidence, words: readonly Word[]): CitedPlace | undefined {
  const { firstWordIndex, lastWordIndex, startMs, endMs } = evidence;
  const first = firstWordIndex === undefined ? undefined : words[firstWordIndex];
  const last = lastWordIndex === undefined ? undefined : words[lastWordIndex];
  if (first && last && firstWordIndex !== undefined && lastWordIndex !== undefined) {
    return {
      words: { firstWord: firstWordIndex, lastWord: lastWordIndex },
      startMs: Math.min(startMs ?? first.startMs, first.startMs),
      endMs: Math.max(endMs ?? last.endMs, last.endMs),
    };
  }
  return startMs === undefined || endMs === undefined ? undefined : placeOfSpan(startMs, endMs, words);
}

export function placeOfSpan(startMs: number, endMs: number, words: readonly Word[]): CitedPlace {
  return { words: wordsWithin(words, startMs, endMs), startMs, endMs };
}

/** The words around a silence, so that it is seen and heard where it stands. */
export function placeOfPause(startMs: number, endMs: number, words: readonly Word[]): CitedPlace {
  const before = words.findLastIndex((word) => word.startMs < startMs);
  const after = words.findIndex((word) => word.endMs > endMs);
  const first = words[before];
  const last = words[after];
  if (!first || !last || after < before) return placeOfSpan(startMs, endMs, words);
  return { words: { firstWord: before, lastWord: after }, startMs: first.startMs, endMs: last.endMs };
}
