/**
 * Brings forms of an English word together: "managing", "managed", "manages". A deliberately small stemmer: it takes off
 * endings, knows no dictionary, and its stems are for comparing only.
 */

/** Endings, and what takes their place: of each step the first that fits and leaves three letters is taken. */
const STEPS: readonly (readonly (readonly [RegExp, string])[])[] = [
  [[/(?:'s|s')$/, ""]],
  [[/(?:ments?|ness|nesses|fully|ful)$/, ""]],
  [
    [/(?:ied|ies|ying|y)$/, "i"],
    [/(?:isations?|izations?)$/, "is"],
    [/(?:ational|ations?|ators?|ative|ating|ated|ates|ate)$/, "at"],
    [/(?:ings?|edly|ed|ers|er|ors|or|ions?|ively|ives?|ably|able|ally|al|ly|es|s|e)$/, ""],
  ],
];

/** Lower-case plain word in, stem out. Words of three letters or fewer, and numbers, stay as they are. */
export function stem(plain: string): string {
  if (plain.length <= 3 || /\d/.test(plain)) return plain;
  return undouble(STEPS.reduce(takeStep, plain));
}

function takeStep(word: string, endings: readonly (readonly [RegExp, string])[]): string {
  for (const [ending, replacement] of endings) {
    const stemmed = word.replace(ending, replacement);
    if (stemmed !== word && stemmed.length >= 3) return stemmed;
  }
  return word;
}

/** "plann" is "plan"; "pass" stays "pas" for "pass" and "passed" alike. */
function undouble(stemmed: string): string {
  return /([b-df-hj-np-tv-z])\1$/.test(stemmed) ? stemmed.slice(0, -1) : stemmed;
}
