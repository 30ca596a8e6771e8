/** All checks of one session, and the figures of many. Pure: histories in, a verdict out. */
import { checkStored } from "./check-stored.ts";
import { checkStream } from "./check-stream.ts";
import { checkWords, countWords } from "./check-words.ts";
import { acknowledgedThrough } from "./history.ts";
import type { SessionHistory, SpokenWord, Violation } from "./history.ts";

/** Words that agree with the uninterrupted run, over all sessions. */
export const minAgreement = 0.98;

export interface Verdict {
  readonly violations: readonly Violation[];
  readonly sessions: number;
  /** Streams beyond the first of each session. */
  readonly resumes: number;
  readonly acknowledgedSamples: number;
  readonly lostSamples: number;
  readonly lostWords: number;
  readonly duplicatedFinals: number;
  readonly gaps: number;
  /** Of all sessions together, and of the worst: 0 to 1. */
  readonly agreement: number;
  readonly worstAgreement: number;
}

const duplicates = new Set(["final-sent-again", "final-seen-again", "overlapping-finals", "repeated-word"]);

export function checkHistories(
  histories: readonly SessionHistory[],
  reference: readonly SpokenWord[],
): Verdict {
  const stored = histories.map((history) => checkStored(history, reference));
  const violations = histories.flatMap((history, index) => [
    ...checkStream(history),
    ...checkWords(history, reference),
    ...stored[index]!.violations,
  ]);
  const counts = histories
    .filter((history) => history.failure === undefined)
    .map((history) => countWords(history.snapshots.at(-1)?.finals ?? [], reference));
  const said = sum(counts.map((count) => count.referenceWords));
  const agreement = said === 0 ? 0 : 1 - sum(counts.map((count) => count.differing)) / said;
  if (agreement < minAgreement) {
    const detail = `${(100 * agreement).toFixed(2)} % of ${said} words, less than ${100 * minAgreement} %`;
    violations.push({ rule: "agreement", session: "all sessions", detail });
  }
  return {
    violations,
    sessions: histories.length,
    resumes: sum(histories.map(({ wire }) => wire.filter((event) => event.kind === "opened").length - 1)),
    acknowledgedSamples: sum(histories.map((history) => acknowledgedThrough(history.wire))),
    lostSamples: sum(stored.map((result) => result.lostSamples)),
    lostWords: sum(stored.map((result) => result.lostWords)),
    duplicatedFinals: violations.filter((violation) => duplicates.has(violation.rule)).length,
    gaps: violations.filter((violation) => violation.rule === "gap").length,
    agreement,
    worstAgreement: Math.min(1, ...counts.map((count) => 1 - count.differing / count.referenceWords)),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
