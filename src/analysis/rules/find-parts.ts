/**
 * Where an answer shows its situation, task, action and result. Finds passages; never scores them.
 */
import type { ContentWord } from "./read-content.ts";
import type { Part } from "./structure-cues.ts";
import { CUE_MATCHERS, PARTS } from "./structure-cues.ts";

export interface FoundPart {
  readonly part: Part;
  /** Index into the content of the first cue's first word. */
  readonly at: number;
  /** From the cue to the end of its sentence. */
  readonly passage: readonly ContentWord[];
}

/** The first passage of each part that shows, in the order of `PARTS`; a result's is its first with a number, if any. */
export function findParts(content: readonly ContentWord[]): FoundPart[] {
  const indexes = content.flatMap((word, index) => (word.filler ? [] : [index]));
  return PARTS.flatMap((part) => {
    const passages = cuesOf(content, indexes, part).map((at) => ({
      part,
      at,
      passage: content.slice(at, sentenceEnd(content, at)),
    }));
    const withNumber = part === "result" ? passages.find((found) => hasNumber(found.passage)) : undefined;
    const found = withNumber ?? passages[0];
    return found === undefined ? [] : [found];
  });
}

/** Where cues begin; fillers within one are stepped over: "as, um, a result". */
function cuesOf(content: readonly ContentWord[], indexes: readonly number[], part: Part): number[] {
  const cues = CUE_MATCHERS.get(part) ?? [];
  return indexes.filter((_, from) =>
    cues.some((cue) =>
      cue.every((matches, offset) => {
        const word = content[indexes[from + offset] ?? content.length];
        return word !== undefined && matches(word.plain);
      }),
    ),
  );
}

function sentenceEnd(words: readonly ContentWord[], from: number): number {
  const last = words.findIndex((word, index) => index >= from && word.endsSentence);
  return last === -1 ? words.length : last + 1;
}

const NUMBER_WORD =
  /^(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|half|third|quarter|percent|twice|doubled|halved|tripled)(?:-.*)?$/;

/** Whether a passage measures something: a digit, or a number in words ("one" is too often a pronoun). */
export function hasNumber(passage: readonly ContentWord[]): boolean {
  return passage.some((word) => /\d/.test(word.text) || NUMBER_WORD.test(word.plain));
}
