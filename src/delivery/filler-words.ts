/**
 * Which words are fillers, and how a token is made comparable. Owns the lists; never looks at neighbours or times.
 */

/** What a token is to the search for fillers. */
export interface FillerToken {
  /** Lower case, straight apostrophes, without punctuation at its edges: "Um..." is "um". */
  readonly plain: string;
  /** Whether punctuation that sets words off stands before the token's letters, or between it and the token before. */
  readonly brokenBefore: boolean;
  /** The same, after its letters. */
  readonly brokenAfter: boolean;
}

/**
 * Hesitation sounds, however long they are drawn: um, umm, uh, uhm, er, erm, ah, aah, hm, hmm, mm. Not "err", a verb; not
 * the answers "uh-huh", "mm-hmm", "mhm", "uh-oh"; not "oh", "eh" and "huh", which say something.
 */
export const HESITATION = /^(?:u+m+|u+h+m*|e+r(?:rr+)?|e+rm+|a+h+m*|h+m+|mm+)$/;

/** What makes an answer of a hesitation sound before it, when a recogniser writes two tokens: "uh huh", "mm hmm". */
export const ANSWER_ENDING = /^(?:huh|h+m+|oh)$/;

/** Fillers only when set off on both sides: the first plain token, and all of them. */
export const SET_OFF_FILLERS: ReadonlyMap<string, readonly string[]> = new Map([
  ["you", ["you", "know"]],
  ["i", ["i", "mean"]],
  ["kind", ["kind", "of"]],
  ["sort", ["sort", "of"]],
  ["like", ["like"]],
  ["so", ["so"]],
  ["actually", ["actually"]],
  ["basically", ["basically"]],
  ["right", ["right"]],
]);

/** Punctuation that sets words off; quotation marks, brackets and apostrophes do not, though they may stand beside it. */
const BREAK = /[,;:.!?…—–-]/;
const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;
/** What nearly all tokens are: letters, then perhaps a mark. Read apart because it is ten times as fast. */
const PLAIN_TOKEN = /^([a-z']*[a-z])([,.?!]?)$/i;

/** Linear in the token's length. */
export function readFillerToken(text: string): FillerToken {
  const [, letters, mark] = PLAIN_TOKEN.exec(text) ?? [];
  if (letters !== undefined && !letters.startsWith("'")) {
    return { plain: letters.toLowerCase(), brokenBefore: false, brokenAfter: mark !== "" };
  }
  const characters = Array.from(text);
  const first = characters.findIndex((character) => LETTER_OR_DIGIT.test(character));
  if (first === -1) return { plain: "", brokenBefore: BREAK.test(text), brokenAfter: false };
  const last = characters.findLastIndex((character) => LETTER_OR_DIGIT.test(character));
  return {
    plain: characters
      .slice(first, last + 1)
      .join("")
      .toLowerCase()
      .replaceAll("’", "'"),
    brokenBefore: BREAK.test(characters.slice(0, first).join("")),
    brokenAfter: BREAK.test(characters.slice(last + 1).join("")),
  };
}

/** Whether a token is written in capitals only, as an abbreviation is: "ER", "UM". */
export function isInCapitals(text: string): boolean {
  return /\p{Lu}.*\p{Lu}/u.test(text) && !/\p{Ll}/u.test(text);
}
