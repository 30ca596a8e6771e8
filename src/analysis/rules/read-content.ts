/**
 * What was said, word by word, from a session or from a text, made comparable. Owns tokens and sentences; never judges.
 */
import { findFillers } from "../../delivery/find-fillers.ts";
import { isWord } from "../../delivery/is-word.ts";
import type { SpokenWord } from "../../delivery/measure-delivery.ts";
import type { RulesInput } from "./rules-input.ts";

export interface ContentWord {
  /** As written. */
  readonly text: string;
  /** Lower case, straight apostrophes, without punctuation at its edges. */
  readonly plain: string;
  /** Whether it is part of a filler, as delivery counts fillers. */
  readonly filler: boolean;
  /** Whether a sentence ends after it. */
  readonly endsSentence: boolean;
  /** Where it is in the session. Absent for a text without a session. */
  readonly spoken?: { readonly index: number; readonly startMs: number; readonly endMs: number };
}

/** Silence that ends a sentence where the recogniser wrote no punctuation. */
const SENTENCE_SILENCE_MS = 700;

/** The words to score for content: those of `text` when it says other words than the session, else the session's. */
export function readContent(input: RulesInput): ContentWord[] {
  const spoken = toContent(input.words, true);
  const text = input.text?.trim() ?? "";
  if (text === "") return spoken;
  const written = toContent(
    text.split(/\s+/).map((token) => ({ text: token, startMs: 0, endMs: 0 })),
    false,
  );
  return sameWords(spoken, written) ? spoken : written;
}

function sameWords(a: readonly ContentWord[], b: readonly ContentWord[]): boolean {
  return a.length === b.length && a.every((word, index) => word.plain === b[index]?.plain);
}

function toContent(tokens: readonly SpokenWord[], inSession: boolean): ContentWord[] {
  const fillers = new Set<number>();
  for (const filler of findFillers(tokens)) {
    for (let index = filler.firstWordIndex; index <= filler.lastWordIndex; index += 1) fillers.add(index);
  }
  const punctuated = tokens.some((token) => SENTENCE_END.test(token.text));
  return tokens.flatMap((token, index) => {
    if (!isWord(token.text)) return [];
    const next = tokens[index + 1];
    const silenceMs = inSession && next !== undefined ? next.startMs - token.endMs : 0;
    return {
      text: token.text,
      plain: plainForm(token.text),
      filler: fillers.has(index),
      endsSentence:
        next === undefined || (punctuated ? endsSentence(token, next) : silenceMs >= SENTENCE_SILENCE_MS),
      ...(inSession && { spoken: { index, startMs: token.startMs, endMs: token.endMs } }),
    };
  });
}

const SENTENCE_END = /[.?!…]["'”’)\]]*$/;
const ABBREVIATION = /^(?:mr|mrs|ms|dr|prof|st|vs|etc|e\.g|i\.e|[a-z])\.$/i;

function endsSentence(token: SpokenWord, next: SpokenWord): boolean {
  if (/^[.?!…]+$/.test(next.text)) return true;
  return SENTENCE_END.test(token.text) && !ABBREVIATION.test(token.text);
}

/** A token in lower case without punctuation at its edges: "Don’t," is "don't", "(40%)" is "40". */
export function plainForm(text: string): string {
  return lettersOf(text).toLowerCase().replaceAll("’", "'");
}

/** A token from its first letter or digit to its last. Linear in its length. */
export function lettersOf(text: string): string {
  const characters = Array.from(text);
  const first = characters.findIndex((character) => isWord(character));
  const last = characters.findLastIndex((character) => isWord(character));
  return first === -1 ? "" : characters.slice(first, last + 1).join("");
}
