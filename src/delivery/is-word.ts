/**
 * What counts as a word. Every count of words in Parley asks here, so that "words" means one thing in pace, fillers and
 * reports. Never splits a token.
 */

const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;

/**
 * Whether a token counts as one word: it has at least one letter or digit. "well-known", "Mr.", "don't", "uh-huh",
 * "um..." and "42%" are one word each; a lone "—", "..." or "&" is none.
 */
export function isWord(text: string): boolean {
  return LETTER_OR_DIGIT.test(text);
}
