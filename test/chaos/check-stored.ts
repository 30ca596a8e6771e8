/**
 * Judges what the database held against what the client had been told: nothing acknowledged or final is missing or
 * changed.
 */
import { acknowledgedThrough, finalsOnWire, sameFinal } from "./history.ts";
import type { Final, Rule, SessionHistory, Snapshot, SpokenWord, Violation } from "./history.ts";
import { lostWords, places } from "./check-words.ts";

export interface StoredResult {
  readonly violations: readonly Violation[];
  /** Acknowledged, and not committed. */
  readonly lostSamples: number;
  readonly lostWords: number;
}

export function checkStored(history: SessionHistory, reference: readonly SpokenWord[]): StoredResult {
  const violations: Violation[] = [];
  const broken = (rule: Rule, detail: string) =>
    void violations.push({ rule, session: history.name, detail });
  let lostSamples = takenBack(history);
  let wordsLost = 0;
  let before: Snapshot | undefined;
  for (const snapshot of history.snapshots) {
    const told = history.wire.slice(0, snapshot.afterEvents);
    const acknowledged = acknowledgedThrough(told);
    if (snapshot.committedThroughSample < acknowledged) {
      lostSamples += acknowledged - snapshot.committedThroughSample;
      broken(
        "lost-samples",
        `${acknowledged} was acknowledged, ${snapshot.committedThroughSample} is committed`,
      );
    }
    const throughMs = (acknowledged * 1000) / history.sampleRateHz;
    const lost = lostWords(snapshot.finals, reference, throughMs);
    wordsLost = Math.max(wordsLost, lost.length);
    if (lost.length > 0) {
      broken("lost-words", `${lost.length} words before ${Math.round(throughMs)} ms, at ${places(lost)}`);
    }
    compare(finalsOnWire(told), snapshot.finals, "was sent", broken);
    if (before) compare(before.finals, snapshot.finals, "was stored", broken);
    before = snapshot;
  }
  checkApp(history, before, broken);
  return { violations, lostSamples, lostWords: wordsLost };
}

/** Samples that were acknowledged when a stream was told to go on before them. */
function takenBack({ wire }: SessionHistory): number {
  return wire.reduce((total, event, index) => {
    if (event.kind !== "started") return total;
    return total + Math.max(0, acknowledgedThrough(wire.slice(0, index)) - event.nextSample);
  }, 0);
}

type Broken = (rule: Rule, detail: string) => void;

function compare(told: readonly Final[], stored: readonly Final[], how: string, broken: Broken): void {
  const byIndex = new Map(stored.map((final) => [final.segmentIndex, final]));
  for (const final of told) {
    const found = byIndex.get(final.segmentIndex);
    if (!found) broken("final-lost", `segment ${final.segmentIndex} ${how} and is gone`);
    else if (!sameFinal(found, final))
      broken("final-changed", `segment ${final.segmentIndex} ${how} otherwise`);
  }
}

/** The app has seen each stored final once, in order, and knows that all is safe. */
function checkApp(history: SessionHistory, last: Snapshot | undefined, broken: Broken): void {
  const summary = history.wire.findLast((event) => event.kind === "summary");
  const acknowledged = acknowledgedThrough(history.wire);
  if (history.failure !== undefined) broken("not-ended", `the app got ${history.failure}`);
  else if (!last?.isCompleted) broken("not-ended", "the session is not completed in the database");
  else if (summary?.kind !== "summary") broken("not-ended", "no summary came");
  else if (acknowledged !== history.totalSamples) {
    broken("not-ended", `${acknowledged} of ${history.totalSamples} samples are acknowledged`);
  } else compare(last.finals, summary.finals, "is stored, in the summary", broken);

  const seen = new Set<number>();
  let highest = -1;
  for (const { segmentIndex } of history.seenByApp) {
    if (seen.has(segmentIndex)) broken("final-seen-again", `segment ${segmentIndex}`);
    else if (segmentIndex < highest) broken("order", `the app saw segment ${segmentIndex} after ${highest}`);
    seen.add(segmentIndex);
    highest = Math.max(highest, segmentIndex);
  }
  if (history.failure !== undefined || !last) return;
  compare(history.seenByApp, last.finals, "was seen by the app", broken);
  for (const { segmentIndex } of last.finals) {
    if (!seen.has(segmentIndex)) broken("final-not-seen", `segment ${segmentIndex}`);
  }
}
