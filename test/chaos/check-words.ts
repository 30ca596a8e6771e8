/**
 * Judges words against an uninterrupted run of the same audio: lost, said twice, out of place, and acknowledged before
 * they were final. Another word in the same place is no loss: replayed audio may be heard differently. It counts
 * against agreement.
 */
import { alignWords } from "../bench/word-error.ts";
import { finalsOnWire } from "./history.ts";
import type { Final, Rule, SessionHistory, SpokenWord, Violation } from "./history.ts";

/**
 * Word times are estimated, and a cut lies in the silence around a word: so near to an acknowledgement nothing is
 * claimed.
 */
export const edgeMs = 300;
/** Words further apart than this are not the same word, whatever they say. */
const maxApartMs = 1_000;
/** The words of one final, in the median, further from their place than this: its clock is wrong. */
const maxShiftMs = 400;
/** The same word again, so soon, is the same sound. */
const repeatMs = 120;

export interface WordCounts {
  readonly referenceWords: number;
  /** Words left out, put in, or heard as another. */
  readonly differing: number;
}

export function countWords(heard: readonly Final[], reference: readonly SpokenWord[]): WordCounts {
  const pairs = alignWords(wordsOf(heard), reference, maxApartMs);
  return {
    referenceWords: pairs.filter((pair) => pair.said).length,
    differing: pairs.filter((pair) => pair.heard?.text !== pair.said?.text).length,
  };
}

/** Reference words that end before `throughMs`, with nothing in their place among these finals. */
export function lostWords(
  finals: readonly Final[],
  reference: readonly SpokenWord[],
  throughMs: number,
): SpokenWord[] {
  const said = reference.filter((word) => word.endMs <= throughMs - edgeMs);
  const heard = wordsOf(finals).filter((word) => word.startMs < throughMs + edgeMs);
  const lost = alignWords(heard, said, maxApartMs).flatMap((pair) =>
    pair.said && !pair.heard ? [said[pair.said.index]!] : [],
  );
  return lost.filter((word) => !heard.some((other) => covers(other, word)));
}

/** In each session: order and doubles of what is stored, and that acknowledgements come after the words. */
export function checkWords(history: SessionHistory, reference: readonly SpokenWord[]): Violation[] {
  const violations: Violation[] = [];
  const broken = (rule: Rule, detail: string) =>
    void violations.push({ rule, session: history.name, detail });
  for (const { finals } of history.snapshots) checkDoubles(finals, broken);
  checkClock(finalsOnWire(history.wire), reference, broken);
  checkAcks(history, reference, broken);
  return violations;
}

type Broken = (rule: Rule, detail: string) => void;

function checkDoubles(finals: readonly Final[], broken: Broken): void {
  finals.forEach((final, index) => {
    const before = finals[index - 1];
    if (!before) return;
    if (final.segmentIndex <= before.segmentIndex) {
      broken("order", `segment ${final.segmentIndex} is stored after ${before.segmentIndex}`);
    }
    if (final.startMs < before.endMs - 1) {
      broken(
        "overlapping-finals",
        `segment ${final.segmentIndex} from ${final.startMs} ms, ${before.segmentIndex} to ${before.endMs} ms`,
      );
    }
  });
  const words = wordsOf(finals);
  words.forEach((word, index) => {
    const before = words[index - 1];
    if (before && word.text === before.text && Math.abs(word.startMs - before.startMs) < repeatMs) {
      broken("repeated-word", `at ${before.startMs} and ${word.startMs} ms`);
    }
  });
}

function checkClock(finals: readonly Final[], reference: readonly SpokenWord[], broken: Broken): void {
  for (const final of finals) {
    const near = reference.filter(
      (word) => word.startMs > final.startMs - maxApartMs && word.endMs < final.endMs + maxApartMs,
    );
    const shifts = alignWords(final.words, near, maxApartMs)
      .flatMap(({ heard, said }) =>
        heard && said && heard.text === said.text ? [heard.startMs - said.startMs] : [],
      )
      .filter(Number.isFinite)
      .sort((a, b) => a - b);
    const median = shifts[Math.floor(shifts.length / 2)] ?? 0;
    if (Math.abs(median) > maxShiftMs) broken("clock", `segment ${final.segmentIndex} is ${median} ms off`);
  }
}

/** A word that is acknowledged is in a final that came before the acknowledgement. */
function checkAcks(history: SessionHistory, reference: readonly SpokenWord[], broken: Broken): void {
  const arrived: Final[] = [];
  let checkedThroughMs = 0;
  for (const event of history.wire) {
    if (event.kind === "final") arrived.push(event.final);
    if (event.kind !== "ack") continue;
    const throughMs = (event.throughSample * 1000) / history.sampleRateHz;
    if (throughMs <= checkedThroughMs) continue;
    const fromMs = checkedThroughMs - 2 * maxApartMs;
    const recent = reference.filter((word) => word.startMs >= fromMs);
    const lost = lostWords(
      arrived.filter((final) => final.endMs >= fromMs - maxApartMs),
      recent,
      throughMs,
    ).filter((word) => word.startMs >= checkedThroughMs - edgeMs);
    if (lost.length > 0) {
      broken("early-ack", `through ${event.throughSample} before ${lost.length} words, at ${places(lost)}`);
    }
    checkedThroughMs = throughMs;
  }
}

export function places(words: readonly SpokenWord[]): string {
  return words.map((word) => `${Math.round(word.startMs)} ms`).join(", ");
}

function wordsOf(finals: readonly Final[]): SpokenWord[] {
  return finals.flatMap((final) => final.words);
}

/** Two short words heard as one long one lose nothing. */
function covers(heard: SpokenWord, said: SpokenWord): boolean {
  return heard.startMs <= (said.startMs + said.endMs) / 2 && heard.endMs >= (said.startMs + said.endMs) / 2;
}
