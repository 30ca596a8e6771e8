/**
 * Finds fillers in a session's words. Hesitation sounds always count; words that also have a meaning ("like", "so", "you
 * know") only when they are set off. Never judges whether the engine would have kept them: the caller knows.
 */
import type { Filler, SpokenWord } from "./delivery-figures.ts";
import type { FillerToken } from "./filler-words.ts";
import { ANSWER_ENDING, HESITATION, isInCapitals, readFillerToken, SET_OFF_FILLERS } from "./filler-words.ts";

/** Least silence between two words that sets one off from the other. */
export const SETTING_OFF_PAUSE_MS = 200;

/**
 * Every filler, in order, without overlaps. O(n).
 *
 * "Set off" means parted from its neighbours on both sides, each side by punctuation, by 200 ms or more between the word
 * times, or by the beginning or end of the words. So "it was, like, late" and "So, I went" have one; "what I like.",
 * "that's right." and "I think so." have none. Punctuation within a filler of two words ("you, know") makes it none.
 *
 * Not a hesitation: "5 mm" (a unit), "the ER" (capitals among small letters), "uh huh" (an answer).
 */
export function findFillers(words: readonly SpokenWord[]): Filler[] {
  const tokens = words.map((word) => readFillerToken(word.text));
  const hasSmallLetters = words.some((word) => /\p{Ll}/u.test(word.text));
  const hesitations = words.map((_, index) => isHesitation(words, tokens, index, hasSmallLetters));
  const fillers: Filler[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const length = hesitations[index] === true ? 1 : setOffLength(words, tokens, hesitations, index);
    const first = words[index];
    const last = words[index + length - 1];
    if (length === 0 || first === undefined || last === undefined) continue;
    fillers.push({
      text: tokens
        .slice(index, index + length)
        .map((token) => token.plain)
        .join(" "),
      firstWordIndex: index,
      lastWordIndex: index + length - 1,
      startMs: first.startMs,
      endMs: Math.max(first.endMs, last.endMs),
    });
    index += length - 1;
  }
  return fillers;
}

function isHesitation(
  words: readonly SpokenWord[],
  tokens: readonly FillerToken[],
  index: number,
  hasSmallLetters: boolean,
): boolean {
  const plain = tokens[index]?.plain ?? "";
  if (!HESITATION.test(plain)) return false;
  if (hasSmallLetters && isInCapitals(words[index]?.text ?? "")) return false;
  if (plain === "mm" && /\d$/.test(tokens[index - 1]?.plain ?? "")) return false;
  return !isAnswer(tokens, index) && !isAnswer(tokens, index - 1);
}

/** Whether the tokens at `index` and after it are one answer in two tokens, with nothing between: "uh huh". */
function isAnswer(tokens: readonly FillerToken[], index: number): boolean {
  const first = tokens[index];
  const second = tokens[index + 1];
  if (first === undefined || second === undefined || first.brokenAfter || second.brokenBefore) return false;
  return /^(?:u+h+|mm+)$/.test(first.plain) && ANSWER_ENDING.test(second.plain);
}

/** How many words the set-off filler at `index` has; 0 when there is none. */
function setOffLength(
  words: readonly SpokenWord[],
  tokens: readonly FillerToken[],
  hesitations: readonly boolean[],
  index: number,
): number {
  const filler = SET_OFF_FILLERS.get(tokens[index]?.plain ?? "");
  if (filler?.every((part, offset) => tokens[index + offset]?.plain === part) !== true) return 0;
  const whole = filler.every(
    (_, offset) => offset === 0 || !hasBreak(tokens, index + offset - 1, index + offset),
  );
  let before = index - 1;
  while (hesitations[before] === true && !isParted(words, tokens, before)) before -= 1;
  let after = index + filler.length - 1;
  while (hesitations[after + 1] === true && !isParted(words, tokens, after)) after += 1;
  return whole && isParted(words, tokens, before) && isParted(words, tokens, after) ? filler.length : 0;
}

/** Whether the word at `index` is parted from the one after it; also before the first word and after the last. */
function isParted(words: readonly SpokenWord[], tokens: readonly FillerToken[], index: number): boolean {
  const before = words[index];
  const after = words[index + 1];
  if (before === undefined || after === undefined) return true;
  return after.startMs - before.endMs >= SETTING_OFF_PAUSE_MS || hasBreak(tokens, index, index + 1);
}

/** A token without letters has all its punctuation in `brokenBefore`. */
function hasBreak(tokens: readonly FillerToken[], index: number, nextIndex: number): boolean {
  const before = tokens[index];
  const after = tokens[nextIndex];
  const mark = (before?.plain === "" && before.brokenBefore) || (after?.plain === "" && after.brokenBefore);
  return mark || before?.brokenAfter === true || after?.brokenBefore === true;
}
