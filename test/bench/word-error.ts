/**
 * Scores recognised words against what was said: word error rate, and how far word starts are off. Case, punctuation
 * and hyphens do not count, and "Mr." is "mister".
 */
import { readFileSync } from "node:fs";

export interface TimedWord {
  readonly text: string;
  readonly startMs: number;
}

export interface ReferenceWord extends TimedWord {
  readonly endMs: number;
}

export interface WordErrors {
  readonly referenceWords: number;
  readonly substitutions: number;
  readonly insertions: number;
  readonly deletions: number;
  /** All errors over the words that were said. */
  readonly rate: number;
}

export interface WordScore extends WordErrors {
  /** Recognised start minus true start of every word that was recognised right, in ms, in order. */
  readonly startErrorsMs: readonly number[];
}

const spelledOut: Readonly<Record<string, string>> = { mr: "mister", mrs: "missus", dr: "doctor" };

/** The words of a text as they are compared: lower case, without punctuation, hyphenated words taken apart. */
export function normalisedWords(text: string): string[] {
  return text
    .toLowerCase()
    .replace(/[’‘]/g, "'")
    .replace(/[^\p{L}\p{N}']+/gu, " ")
    .split(" ")
    .map((word) => word.replace(/^'+|'+$/g, ""))
    .filter((word) => word !== "")
    .map((word) => spelledOut[word] ?? word);
}

export function wordErrors(recognised: string, reference: string): WordErrors {
  const { startErrorsMs: _, ...errors } = scoreWords(
    recognised.split(/\s+/).map((text) => ({ text, startMs: Number.NaN })),
    reference.split(/\s+/).map((text) => ({ text, startMs: Number.NaN })),
  );
  return errors;
}

/** The start of a later part of a hyphenated word is unknown, so only its first part counts for times. */
export function scoreWords(recognised: readonly TimedWord[], reference: readonly TimedWord[]): WordScore {
  let substitutions = 0;
  let insertions = 0;
  let deletions = 0;
  const startErrorsMs: number[] = [];
  for (const { heard, said } of alignWords(recognised, reference)) {
    if (!heard) deletions++;
    else if (!said) insertions++;
    else if (heard.text !== said.text) substitutions++;
    else if (Number.isFinite(heard.startMs - said.startMs)) startErrorsMs.push(heard.startMs - said.startMs);
  }
  const referenceWords = reference.flatMap(apart).length;
  const rate = (substitutions + insertions + deletions) / Math.max(1, referenceWords);
  return { referenceWords, substitutions, insertions, deletions, rate, startErrorsMs };
}

/** Words that stand for each other; one of the two is absent where a word was left out or put in. */
export interface WordPair {
  readonly heard?: PlacedWord;
  readonly said?: PlacedWord;
}

export interface PlacedWord extends TimedWord {
  /** Which of the words given it is, or is a part of. */
  readonly index: number;
}

/** The cheapest alignment, in order. Words whose starts are known and further apart than `maxApartMs` never stand for each other. */
export function alignWords(
  recognised: readonly TimedWord[],
  reference: readonly TimedWord[],
  maxApartMs = Infinity,
): WordPair[] {
  const heard = recognised.flatMap(apart);
  const said = reference.flatMap(apart);
  const costs = editCosts(heard, said, maxApartMs);
  const pairs: WordPair[] = [];
  let i = heard.length;
  let j = said.length;
  while (i > 0 || j > 0) {
    const a = heard[i - 1];
    const b = said[j - 1];
    const cost = costs[i]![j]!;
    if (a !== undefined && b !== undefined && cost === costs[i - 1]![j - 1]! + pairCost(a, b, maxApartMs)) {
      pairs.push({ heard: a, said: b });
      i--;
      j--;
    } else if (a !== undefined && cost === costs[i - 1]![j]! + 1) {
      pairs.push({ heard: a });
      i--;
    } else {
      pairs.push({ said: b! });
      j--;
    }
  }
  return pairs.reverse();
}

/** The value below which the given share of the values lies; NaN when there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Reads `word<TAB>start ms<TAB>end ms` lines. */
export function readReferenceWords(path: string): ReferenceWord[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [text = "", startMs, endMs] = line.split("\t");
      return { text, startMs: Number(startMs), endMs: Number(endMs) };
    });
}

function apart(word: TimedWord, index: number): PlacedWord[] {
  return normalisedWords(word.text).map((text, part) => ({
    text,
    startMs: part === 0 ? word.startMs : Number.NaN,
    index,
  }));
}

function pairCost(heard: TimedWord, said: TimedWord, maxApartMs: number): number {
  if (Math.abs(heard.startMs - said.startMs) > maxApartMs) return Infinity;
  return heard.text === said.text ? 0 : 1;
}

function editCosts(heard: readonly TimedWord[], said: readonly TimedWord[], maxApartMs: number): number[][] {
  const costs: number[][] = [said.reduce<number[]>((row, _, index) => [...row, index + 1], [0])];
  heard.forEach((word, i) => {
    const above = costs[i]!;
    const row = [i + 1];
    said.forEach((other, j) => {
      row.push(Math.min(above[j]! + pairCost(word, other, maxApartMs), above[j + 1]! + 1, row[j]! + 1));
    });
    costs.push(row);
  });
  return costs;
}
