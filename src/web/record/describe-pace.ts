/** A pace in words, against the comfortable band. */
import { comfortableWpm } from "./comfortable-pace.ts";

/** One or two sentences. Undefined: not known yet. */
export function describePace(wordsPerMinute: number | undefined): string {
  if (wordsPerMinute === undefined) return "Not known yet.";
  return `${Math.round(wordsPerMinute)} words a minute: ${judgePace(wordsPerMinute)}.`;
}

export function judgePace(wordsPerMinute: number): "slow" | "comfortable" | "fast" {
  if (wordsPerMinute < comfortableWpm.from) return "slow";
  return wordsPerMinute > comfortableWpm.to ? "fast" : "comfortable";
}
