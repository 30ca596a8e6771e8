/**
 * Phrases by which an answer shows its parts: situation, task, action, result (the "STAR" method of behavioural
 * interviews). Owns the list; never a score.
 */

export type Part = "situation" | "task" | "action" | "result";

/** In the order in which an answer is best told. */
export const PARTS: readonly Part[] = ["situation", "task", "action", "result"];

/**
 * A phrase of plain words. `a|b` is one word or the other, `_` any one word, `@did` a verb in the past tense.
 */
type Cue = string;

const CUES: Readonly<Record<Part, readonly Cue[]>> = {
  situation: [
    "when i was|worked|joined|started|began",
    "when we were|started|began|launched",
    "while i was",
    "at the time",
    "at that time",
    "at my last|previous|current|first|old",
    "in my last|previous|current|first|old job|role|position|team|company|year|internship",
    "in my final|first|second|third year",
    "last year|month|week|summer|spring|autumn|fall|winter|quarter",
    "two|three|four|five|few|couple|many|several years|months|weeks ago",
    "of years|months|weeks ago",
    "back in",
    "the situation was",
    "the context was|is",
    "there was a|an",
    "there were",
    "our|my team was|had|were",
    "our|the company|client|customer|department|school was|had|wanted",
    "i was working|studying|leading",
    "we were working|facing|building|running|losing",
    "we had a|an|just",
  ],
  task: [
    "my|our job|task|role|goal|aim|responsibility|objective|challenge|mission was|is",
    "the goal|aim|task|challenge|problem|objective|question was|is",
    "i was responsible",
    "i was in charge",
    "i was asked|told|given|assigned|supposed|expected",
    "we were asked|told|given|assigned|supposed|expected",
    "asked|told me to",
    "it was my job|task|responsibility",
    "i|we had to",
    "i|we needed|wanted to",
    "it was up to me",
  ],
  action: [
    "i @did",
    "i then|also|first|immediately|quickly|personally|carefully|finally @did",
    "i decided to",
    "we @did",
    "so i|we @did",
    "what i did was|is",
    "my first step",
    "the first thing i",
    "i sat down with",
    "i made sure",
  ],
  result: [
    "as a result",
    "as a consequence",
    "in the end",
    "the result|outcome|effect was",
    "the results|outcomes were",
    "this|that|which led|resulted|meant|allowed|enabled|saved|helped|reduced|increased|improved",
    "resulted in",
    "leading|resulting to|in",
    "we|it|i ended up",
    "because of that|this",
    "thanks to that|this",
    "since then",
    "ever since",
    "eventually",
    "we|i|it|sales|revenue|costs|errors increased|reduced|saved|grew|fell|dropped|rose|doubled|halved|improved|cut|shortened",
    "_ percent",
    "was a success",
    "i learned|learnt",
    "what i learned|learnt",
    "the lesson",
    "we now|still",
  ],
};

/** Verbs of doing whose past does not end in "-ed". */
const IRREGULAR_PAST =
  "began|bought|brought|broke|built|chose|cut|did|drew|drove|found|gave|got|grew|held|kept|led|left|made|met|put|ran|rebuilt|" +
  "redid|rewrote|said|sent|set|showed|sold|spent|split|spoke|taught|told|took|thought|went|won|wrote";

/** Past forms that describe a state or a duty rather than an action. */
const NOT_DEEDS =
  "needed|wanted|used|liked|loved|hated|joined|started|worked|learned|seemed|happened|lived|studied|ended|interested";

type Matcher = (plain: string) => boolean;

/** Each cue as one test a word, by part. */
export const CUE_MATCHERS: ReadonlyMap<Part, readonly (readonly Matcher[])[]> = new Map(
  PARTS.map((part) => [part, CUES[part].map((cue) => cue.split(" ").map(toMatcher))]),
);

function toMatcher(term: string): Matcher {
  if (term === "_") return () => true;
  if (term === "@did") return isDeed;
  const alternatives = new Set(term.split("|"));
  return (plain) => alternatives.has(plain);
}

const PAST = new Set(IRREGULAR_PAST.split("|"));
const STATES = new Set(NOT_DEEDS.split("|"));

function isDeed(plain: string): boolean {
  return PAST.has(plain) || (/^[a-z]{2,}ed$/.test(plain) && !STATES.has(plain));
}
