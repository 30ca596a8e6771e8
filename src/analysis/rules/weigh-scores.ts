/**
 * How much each aspect counts. The one place where the weights are stated.
 */
import type { Aspect, Score } from "../report.ts";

/** Hundredths of the overall score. What is said counts 55, how it is said 45. */
export const WEIGHTS: Readonly<Record<Aspect, number>> = {
  pace: 15,
  fillers: 20,
  pauses: 10,
  variety: 15,
  structure: 20,
  coverage: 20,
};

/** Mean of the scores that have a value, weighted; a whole number. Undefined when none has. */
export function weighScores(scores: readonly Score[]): number | undefined {
  let sum = 0;
  let weights = 0;
  for (const { aspect, value } of scores) {
    if (value === undefined) continue;
    sum += WEIGHTS[aspect] * value;
    weights += WEIGHTS[aspect];
  }
  return weights === 0 ? undefined : Math.round(sum / weights);
}
