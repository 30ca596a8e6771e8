/**
 * What is a filler and what is not, word by word. Judges the search alone, never rates.
 */
import { expect, test } from "vitest";
import { findFillers } from "../../src/delivery/find-fillers.ts";
import { spoken } from "./spoken.ts";

const found = (text: string) => findFillers(spoken(text)).map((filler) => filler.text);

test.each([
  ["Um, I went.", ["um"]],
  ["I um... went", ["um"]],
  [
    "well umm uh uhh uhm er erm ah aah hmm hm mm",
    ["umm", "uh", "uhh", "uhm", "er", "erm", "ah", "aah", "hmm", "hm", "mm"],
  ],
  ["I “um” went", ["um"]],
])("hesitation sounds always count: %s", (text, fillers) => {
  expect(found(text)).toEqual(fillers);
});

test.each([
  "uh-huh I see",
  "uh huh I see",
  "mm hmm I see",
  "mm-hmm",
  "uh-oh",
  "a 5 mm gap",
  "she works in the ER now",
  "to err is human",
  "an umbrella and a hummer",
  "oh, eh, huh",
])("not a hesitation: %s", (text) => {
  expect(found(text)).toEqual([]);
});

test("capitals are no abbreviation where everything is in capitals", () => {
  expect(found("I UM WENT")).toEqual(["um"]);
});

test.each([
  ["It was, like, late.", ["like"]],
  ["It was {200} like {200} late.", ["like"]],
  ["It was, like {200} late.", ["like"]],
  ["It was, um like, late.", ["um", "like"]],
  ["It was, like um uh, late.", ["like", "um", "uh"]],
  ["So, I went.", ["so"]],
  ["I went. So, he came.", ["so"]],
  ["It was, you know, late.", ["you know"]],
  ["You know, it was late.", ["you know"]],
  ["It was late, right?", ["right"]],
  [
    "Actually, I mean, it was, kind of, sort of, basically, late.",
    ["actually", "i mean", "kind of", "sort of", "basically"],
  ],
  ["It was — like — late", ["like"]],
  ["It was late — you know", ["you know"]],
])("set off on both sides: %s", (text, fillers) => {
  expect(found(text)).toEqual(fillers);
});

test.each([
  "I like it.",
  "It is for, you, know, him.",
  "The so called, and so on.",
  "That is what I like.",
  "I would like, perhaps, tea.",
  "It was {199} like {199} late.",
  "It was {200} like ten people.",
  "I think so.",
  "That's right.",
  "So I went.",
  "What you know, you know well.",
  "It's for you, know that.",
  "This kind of work is a sort of art.",
  "I mean it.",
  "He's actually here.",
  "alike, likely, also",
])("a word with its own meaning, or not set off: %s", (text) => {
  expect(found(text)).toEqual([]);
});

test("a filler names its words and its time", () => {
  expect(findFillers(spoken("It was, you know, late."))).toEqual([
    { text: "you know", firstWordIndex: 2, lastWordIndex: 3, startMs: 500, endMs: 950 },
  ]);
});

test("typographic and straight apostrophes are the same, and punctuation alone is no filler", () => {
  expect(found("don’t , ... — &")).toEqual([]);
  expect(findFillers([])).toEqual([]);
});

test("a token of a hundred thousand characters takes no time to speak of", () => {
  const startMs = performance.now();
  findFillers([{ text: `${"-".repeat(50_000)}a${"-".repeat(50_000)}`, startMs: 0, endMs: 1 }]);
  expect(performance.now() - startMs).toBeLessThan(500);
});
