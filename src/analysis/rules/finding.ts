/**
 * What the rule of one aspect hands back. Every rule gives both parts whatever it found, so that the choice of practices
 * is made in one place.
 */
import type { Practice, Score } from "../report.ts";

export interface Finding {
  readonly score: Score;
  /** What to practise for this aspect; evidence is never empty. */
  readonly practice: Practice;
}

/** A score from a share of 0 to 1 (cut to that), as a whole number of 0 to 100. */
export function toScore(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 100);
}
