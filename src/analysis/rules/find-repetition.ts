/**
 * What comes back too often: sentence beginnings and phrases. Owns what counts as too often; never a score.
 */
import type { ContentWord } from "./read-content.ts";
import { lettersOf } from "./read-content.ts";
import { isStopWord } from "./stop-words.ts";

export interface RepeatedStarter {
  /** The word, in the case in which it was written first. */
  readonly text: string;
  /** The sentences that begin with it. */
  readonly sentences: readonly (readonly ContentWord[])[];
  /** Sentences in all. */
  readonly of: number;
}

export interface RepeatedPhrase {
  /** In lower case. */
  readonly text: string;
  /** Each use, in order. */
  readonly uses: readonly (readonly ContentWord[])[];
}

/** Fewer sentences say nothing about how somebody begins them. */
const LEAST_SENTENCES = 5;
/** Share of the sentences from which one beginning is too many. */
const TOO_ALIKE = 0.5;
/** Words of a phrase, and uses that make it one that comes back. */
const PHRASE_WORDS = 3;
const LEAST_USES = 3;

/** The most frequent sentence beginning, when half of five or more sentences share it. */
export function findRepeatedStarter(words: readonly ContentWord[]): RepeatedStarter | undefined {
  const sentences = toSentences(words);
  if (sentences.length < LEAST_SENTENCES) return undefined;
  const groups = Map.groupBy(sentences, (sentence) => sentence[0]?.plain ?? "");
  const [most] = [...groups.values()].sort((a, b) => b.length - a.length);
  if (most === undefined || most.length < sentences.length * TOO_ALIKE) return undefined;
  const first = most[0]?.[0];
  const text = first === undefined ? "" : lettersOf(first.text);
  return { text, sentences: most, of: sentences.length };
}

/**
 * Phrases of three words said three times or more, most frequent first. One that is only stop words, or that shares words
 * with a phrase before it in the list at its first use, is left out.
 */
export function findRepeatedPhrases(words: readonly ContentWord[]): RepeatedPhrase[] {
  const starts = new Map<string, number[]>();
  for (let index = 0; index + PHRASE_WORDS <= words.length; index += 1) {
    const part = words.slice(index, index + PHRASE_WORDS);
    if (part.every((word) => isStopWord(word.plain)) || part.slice(0, -1).some((word) => word.endsSentence))
      continue;
    const text = part.map((word) => word.plain).join(" ");
    const earlier = starts.get(text);
    if (earlier === undefined) starts.set(text, [index]);
    else if (index >= (earlier.at(-1) ?? 0) + PHRASE_WORDS) earlier.push(index);
  }
  const taken = new Set<number>();
  return [...starts]
    .filter(([, at]) => at.length >= LEAST_USES)
    .sort((a, b) => b[1].length - a[1].length)
    .flatMap(([text, at]) => {
      const first = at[0] ?? 0;
      const covered = Array.from({ length: PHRASE_WORDS }, (_, offset) => first + offset);
      if (covered.some((index) => taken.has(index))) return [];
      covered.forEach((index) => taken.add(index));
      return [{ text, uses: at.map((index) => words.slice(index, index + PHRASE_WORDS)) }];
    });
}

export function toSentences(words: readonly ContentWord[]): ContentWord[][] {
  const sentences: ContentWord[][] = [];
  let sentence: ContentWord[] = [];
  for (const word of words) {
    sentence.push(word);
    if (word.endsSentence) {
      sentences.push(sentence);
      sentence = [];
    }
  }
  return sentence.length > 0 ? [...sentences, sentence] : sentences;
}
