/**
 * Cuts segments into cues that can be read. Owns where a cue breaks; never how long it stays or its file format.
 */
import type { ExportSegment, ExportWord } from "./export-segment.ts";
import { spaceCues } from "./space-cues.ts";
import type { Cue } from "./space-cues.ts";
import { timeWords } from "./time-words.ts";
import { fitsLines, LINE_LENGTH } from "./wrap-lines.ts";

/** Longest that a cue's words last (Netflix timed text style guide: 7 s). */
export const LONGEST_CUE_MS = 7_000;

/** A silence after which the words that follow are a cue of their own. */
const PARTING_SILENCE_MS = 1_000;

/** A silence that is a good place to break. */
const BREAKING_SILENCE_MS = 300;

/** Shortest sentence, in characters, that had better not share a cue with the next. */
const SHORTEST_SENTENCE = 16;

/**
 * What a break costs by where it is, and what a cue costs by how full it is. Only their proportions matter: one more cue
 * is worth it to end at a sentence or a clause, not for a silence alone.
 */
const COST = { cue: 60, emptiness: 80, clause: 15, silence: 25, midPhrase: 60, sentenceInside: 90 };

/**
 * Cues in order of time that never overlap, over all channels; see `spaceCues`. `labelLengthOf` says how many characters
 * a format writes before a channel's text.
 */
export function splitCues(
  segments: readonly ExportSegment[],
  labelLengthOf: (channel: number) => number = () => 0,
): Cue[] {
  return spaceCues(segments.flatMap((segment) => splitSegment(segment, labelLengthOf(segment.channel))));
}

/** The cheapest way to cut the words into cues that fit, found from the front: O(words * words of a cue). */
function splitSegment(segment: ExportSegment, labelLength: number): Cue[] {
  const words = timeWords(segment);
  const cheapest = [0];
  const startOfBest = [0];
  for (let end = 1; end <= words.length; end += 1) {
    for (let first = end - 1; first >= 0; first -= 1) {
      if (first < end - 1 && !belongTogether(words, first, end, labelLength)) break;
      const cost = (cheapest[first] ?? 0) + cueCost(words, first, end);
      if (cost < (cheapest[end] ?? Infinity)) [cheapest[end], startOfBest[end]] = [cost, first];
    }
  }
  const cues: Cue[] = [];
  for (let end = words.length; end > 0; end = startOfBest[end] ?? 0) {
    cues.unshift(cueOf(words.slice(startOfBest[end], end), segment.channel));
  }
  return cues;
}

function cueOf(words: readonly ExportWord[], channel: number): Cue {
  const startMs = words[0]?.startMs ?? 0;
  const spokenEndMs = words.reduce((latest, word) => Math.max(latest, word.endMs), startMs);
  return { startMs, endMs: Math.min(spokenEndMs, startMs + LONGEST_CUE_MS), text: joined(words), channel };
}

/** Whether the words from `first` up to `end` may be one cue. When they may not, nor may any longer run to `end`. */
function belongTogether(
  words: readonly ExportWord[],
  first: number,
  end: number,
  labelLength: number,
): boolean {
  if (silenceAfter(words, first) >= PARTING_SILENCE_MS) return false;
  const lastsMs = (words[end - 1]?.endMs ?? 0) - (words[first]?.startMs ?? 0);
  return lastsMs <= LONGEST_CUE_MS && fitsLines(joined(words.slice(first, end)), labelLength);
}

function cueCost(words: readonly ExportWord[], first: number, end: number): number {
  const text = joined(words.slice(first, end));
  const emptiness = Math.max(0, 1 - text.length / (2 * LINE_LENGTH));
  const sentencesInside = text.slice(SHORTEST_SENTENCE).split(SENTENCE_INSIDE).length - 1;
  const breakAtEnd = end === words.length ? 0 : breakCost(words, end - 1);
  return COST.cue + COST.emptiness * emptiness ** 2 + COST.sentenceInside * sentencesInside + breakAtEnd;
}

const SENTENCE_INSIDE = /(?<!\b(?:Mr|Mrs|Ms|Dr|St|vs))[.!?…]["'”’)]* /;
const SENTENCE_END = /(?<!^(?:Mr|Mrs|Ms|Dr|St|vs))[.!?…]["'”’)]*$/;
const CLAUSE_END = /[,;:—–]["'”’)]*$/;

function breakCost(words: readonly ExportWord[], index: number): number {
  const text = words[index]?.text ?? "";
  if (SENTENCE_END.test(text)) return 0;
  if (CLAUSE_END.test(text)) return COST.clause;
  return silenceAfter(words, index) >= BREAKING_SILENCE_MS ? COST.silence : COST.midPhrase;
}

function silenceAfter(words: readonly ExportWord[], index: number): number {
  const word = words[index];
  const next = words[index + 1];
  return word === undefined || next === undefined ? 0 : next.startMs - word.endMs;
}

function joined(words: readonly ExportWord[]): string {
  return words.map((word) => word.text).join(" ");
}
