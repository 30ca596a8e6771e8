/**
 * Chooses what to practise first. Owns the order; the advice itself comes with each finding.
 */
import type { Practice } from "../report.ts";
import type { Finding } from "./finding.ts";
import { WEIGHTS } from "./weigh-scores.ts";

/** Practices of a report. */
const PRACTICES = 3;

/** A finding without a score is less urgent than a fault, and more so than something that is already good. */
const UNSCORED_LOSS = 15;

/**
 * The three practices that promise most: points lost, times the weight of the aspect. Equals keep the order in which the
 * findings came.
 */
export function choosePractices(findings: readonly Finding[]): Practice[] {
  const promise = ({ score }: Finding) =>
    WEIGHTS[score.aspect] * (score.value === undefined ? UNSCORED_LOSS : 100 - score.value);
  return findings
    .toSorted((a, b) => promise(b) - promise(a))
    .slice(0, PRACTICES)
    .map((finding) => finding.practice);
}
