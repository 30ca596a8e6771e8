/**
 * Brings forms of an English word together: "managing", "managed", "manages". A deliberately small stemmer: it takes off
 * endings, knows no dictionary, and its stems are for comparing only.
 */

/** Endings with what takes their place, the first that fits is taken; each leaves at least three letters. */
const ENDINGS: readonly (readonly [RegExp, string])[] = [
  [/'s$|s'$/, ""],
  [/ational$/, "at"],
  [/isation$|ization$/, "is"],
  [/(?:ications?|ied|ies|ying|y)$/, "i"],
  [/(?:ments?|ness(?:es)?|fully|ful)$/, ""],
  [/(?:ations?|ators?|ative|ating|ated|ates|ate)$/, "at"],
  [/(?:ings?|edly|ed|ers|er|ors|or|ions?|ively|ives?|ably|able|ally|al|ly|es|s|e)$/, ""],
];

/** Lower-case plain word in, stem out. Words of three letters or fewer, and numbers, stay as they are. */
export function stem(plain: string): string {
  if (plain.length <= 3 || /\d/.test(plain)) return plain;
  for (const [ending, replacement] of ENDINGS) {
    if (!ending.test(plain)) continue;
    const stemmed = plain.replace(ending, replacement);
    if (stemmed.length >= 3) return undouble(stemmed);
  }
  return plain;
}

/** "plann" is "plan"; "pass" stays "pas" for "pass" and "passed" alike. */
function undouble(stemmed: string): string {
  return /([b-df-hj-np-tv-z])\1$/.test(stemmed) ? stemmed.slice(0, -1) : stemmed;
}
