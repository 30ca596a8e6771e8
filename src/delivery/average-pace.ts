/**
 * How fast somebody speaks over the whole, pauses included. Takes words only (tokens that `isWord` accepts); never looks
 * at their text.
 */
import type { Span } from "./delivery-figures.ts";
import { perMinute } from "./per-minute.ts";

/**
 * Words per minute from the first word's start to the last word's end (the latest end, where words overlap). 0 with
 * fewer than two words, or when they take no time.
 */
export function averagePace(words: readonly Span[]): number {
  if (words.length < 2) return 0;
  let startMs = Infinity;
  let endMs = -Infinity;
  for (const word of words) {
    startMs = Math.min(startMs, word.startMs);
    endMs = Math.max(endMs, word.endMs);
  }
  return perMinute(words.length, endMs - startMs);
}
