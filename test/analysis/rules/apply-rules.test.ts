/**
 * Whole reports: real answers, what is missing, evidence that exists, soundness of any report. Scores one by one are in
 * scores.test.ts.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Aspect, Evidence, Report } from "../../../src/analysis/report.ts";
import type { RulesInput } from "../../../src/analysis/rules/apply-rules.ts";
import { applyRules, RULES_VERSION } from "../../../src/analysis/rules/apply-rules.ts";
import { FORMULA_VERSION } from "../../../src/delivery/measure-delivery.ts";
import { audioWords, RECORDINGS } from "../../delivery/audio-words.ts";
import { ESSAY, LITANY, session, speak, STORY, STORY_QUESTION } from "./answers.ts";

const ASPECTS: Aspect[] = ["pace", "fillers", "pauses", "variety", "structure", "coverage"];

const value = (report: Report, aspect: Aspect) =>
  report.scores.find((score) => score.aspect === aspect)?.value;
const summary = (report: Report, aspect: Aspect) =>
  report.scores.find((score) => score.aspect === aspect)?.summary;
const evidenceOf = (report: Report) => [
  ...report.scores.flatMap((score) => score.evidence),
  ...report.practices.flatMap((practice) => practice.evidence),
];

describe("a well told answer", () => {
  const words = speak(STORY);
  const report = applyRules({ ...session(words), question: STORY_QUESTION });

  test("scores high in every aspect", () => {
    expect(report).toMatchObject({
      rulesVersion: RULES_VERSION,
      formulaVersion: FORMULA_VERSION,
      totalWords: words.length,
    });
    expect(report.scores.map((score) => score.aspect)).toEqual(ASPECTS);
    expect(value(report, "pace")).toBeGreaterThan(95);
    expect(value(report, "fillers")).toBe(91);
    expect(value(report, "structure")).toBe(100);
    expect(report.overallScore).toBeGreaterThan(85);
  });

  test("cites the words that show each part, in the words that were said", () => {
    const passages = report.scores
      .find((score) => score.aspect === "structure")!
      .evidence.filter((entry) => entry.firstWordIndex !== undefined)
      .map((entry) =>
        words
          .slice(entry.firstWordIndex, entry.lastWordIndex! + 1)
          .map((word) => word.text)
          .join(" "),
      );
    expect(passages).toEqual([
      "When I joined Northwind last year, our release process took two days and failed every other week.",
      "My task was to make it boring.",
      "I sat down with the three teams and, um, drew every step on a wall.",
      "As a result we now release every day, and failed releases fell by eighty percent.",
    ]);
  });

  test("cites its fillers by index and time", () => {
    const um = words.findIndex((word) => word.text === "um,");
    expect(report.scores.find((score) => score.aspect === "fillers")!.evidence).toContainEqual(
      expect.objectContaining({
        firstWordIndex: um,
        lastWordIndex: um,
        startMs: words[um]!.startMs,
        endMs: words[um]!.endMs,
      }),
    );
  });

  test("is the same report every time, and plain JSON", () => {
    const again = applyRules({ ...session(speak(STORY)), question: STORY_QUESTION });
    expect(again).toEqual(report);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});

test("an answer that repeats itself and tells no story is told so, and what to do first", () => {
  const question = "Why should we hire you for the position of a customer support lead?";
  const report = applyRules({ ...session(speak(LITANY)), question });
  expect(value(report, "variety")).toBe(0);
  expect(value(report, "structure")).toBe(0);
  expect(value(report, "coverage")).toBe(0);
  expect(summary(report, "variety")).toContain("7 sentences begin with “I”");
  expect(summary(report, "coverage")).toContain("“customer”, “support”, “lead”");
  expect(report.practices.map((practice) => practice.aspect)).toEqual(["structure", "coverage", "variety"]);
});

test("varied words without a story: variety full, structure not", () => {
  const report = applyRules({ words: [], text: ESSAY });
  expect(value(report, "variety")).toBe(100);
  expect(value(report, "structure")).toBeLessThan(40);
});

describe("what is missing is said, never scored", () => {
  test("a text without a session has no delivery, and evidence without places", () => {
    const report = applyRules({ words: [], text: STORY, question: STORY_QUESTION });
    for (const aspect of ["pace", "fillers", "pauses"] as const) {
      expect(value(report, aspect)).toBeUndefined();
      expect(summary(report, aspect)).toMatch(/no recording/);
    }
    expect(value(report, "structure")).toBe(100);
    expect(report.practices).toHaveLength(3);
    for (const entry of evidenceOf(report)) {
      expect(entry).not.toHaveProperty("firstWordIndex");
      expect(entry).not.toHaveProperty("startMs");
    }
  });

  test("without a question there is no coverage", () => {
    const report = applyRules(session(speak(STORY)));
    expect(value(report, "coverage")).toBeUndefined();
    expect(summary(report, "coverage")).toMatch(/no question/);
    expect(value(applyRules({ ...session(speak(STORY)), question: "Why?" }), "coverage")).toBeUndefined();
  });

  test("an engine that may drop fillers gives no score for them, but those that came through are cited", () => {
    const report = applyRules(session(speak(STORY), "may-drop"));
    expect(value(report, "fillers")).toBeUndefined();
    expect(summary(report, "fillers")).toMatch(/may leave out/);
    expect(evidenceOf(report).some((entry) => entry.text.startsWith("“like” at"))).toBe(true);
  });

  test("nothing said: no scores, no practices", () => {
    for (const input of [{ words: [] }, { words: [], text: " " }, session([])]) {
      const report = applyRules({ ...input, question: STORY_QUESTION });
      expect(report).toMatchObject({ totalWords: 0, practices: [] });
      expect(report).not.toHaveProperty("overallScore");
      expect(report.scores.map((score) => score.value)).toEqual(ASPECTS.map(() => undefined));
    }
  });

  test("silence is not blamed on the recogniser", () => {
    expect(summary(applyRules(session([])), "fillers")).toMatch(/Too little was said/);
  });

  test("a word or two: no scores, but three things to do", () => {
    const report = applyRules(session(speak("Yes. Sure.")));
    expect(report).not.toHaveProperty("overallScore");
    expect(report.practices).toHaveLength(3);
  });
});

describe("text beside a session", () => {
  test("another text is scored for content, the session for delivery", () => {
    const spokenReport = applyRules(session(speak(LITANY)));
    const report = applyRules({ ...session(speak(LITANY)), text: STORY });
    expect(value(report, "pace")).toBe(value(spokenReport, "pace"));
    expect(value(report, "structure")).toBe(100);
    const { evidence } = report.scores.find((score) => score.aspect === "structure")!;
    for (const entry of evidence) expect(entry).not.toHaveProperty("firstWordIndex");
  });

  test("the session's own transcript gives the session's report", () => {
    expect(applyRules({ ...session(speak(STORY)), text: STORY })).toEqual(applyRules(session(speak(STORY))));
  });
});

test("true words of real recordings, without punctuation, as one session", () => {
  const words = RECORDINGS.flatMap((recording, index) =>
    audioWords(recording).map((word) => ({
      text: word.text,
      startMs: word.startMs + index * 8_000,
      endMs: word.endMs + index * 8_000,
    })),
  );
  const report = applyRules(session(words));
  expect(report.totalWords).toBe(71);
  expect(value(report, "fillers")).toBe(100);
  expect(value(report, "variety")).toBeGreaterThan(80);
  expect(value(report, "pace")).toBeDefined();
  expect(value(report, "pauses")).toBeDefined();
  expectSound(report, words.length);
});

/** Any mixture of real sentences and noise, spoken at any speed. */
const inputs: fc.Arbitrary<RulesInput> = fc
  .record({
    tokens: fc.array(fc.constantFrom(...STORY.split(" "), ...LITANY.split(" "), "—", "um,", "uh", "&"), {
      maxLength: 150,
    }),
    slowness: fc.double({ min: 0.2, max: 6, noNaN: true }),
    sentenceSilenceMs: fc.integer({ min: 0, max: 9_000 }),
    fillers: fc.constantFrom("kept" as const, "may-drop" as const),
    question: fc.option(fc.constantFrom(STORY_QUESTION, "", "Why?"), { nil: undefined }),
    difficulty: fc.option(fc.constantFrom("easy" as const, "medium" as const, "hard" as const), {
      nil: undefined,
    }),
    text: fc.option(fc.constantFrom(ESSAY, LITANY, "Short."), { nil: undefined }),
  })
  .map(({ tokens, slowness, sentenceSilenceMs, fillers, question, difficulty, text }) => ({
    ...session(tokens.length === 0 ? [] : speak(tokens.join(" "), { slowness, sentenceSilenceMs }), fillers),
    ...(question !== undefined && { question }),
    ...(difficulty !== undefined && { difficulty }),
    ...(text !== undefined && { text }),
  }));

test("every report is sound: whole scores within 0 to 100, evidence that exists, three practices if anything was said", () => {
  fc.assert(
    fc.property(inputs, (input) => {
      expectSound(applyRules(input), input.words.length);
    }),
  );
});

function expectSound(report: Report, wordCount: number): void {
  expect(report.scores.map((score) => score.aspect)).toEqual(ASPECTS);
  const values = report.scores.flatMap((score) => score.value ?? []);
  for (const whole of [...values, ...(report.overallScore === undefined ? [] : [report.overallScore])]) {
    expect(Number.isInteger(whole)).toBe(true);
    expect(whole).toBeGreaterThanOrEqual(0);
    expect(whole).toBeLessThanOrEqual(100);
  }
  expect(report.overallScore === undefined).toBe(values.length === 0);
  if (report.overallScore !== undefined) {
    expect(report.overallScore).toBeGreaterThanOrEqual(Math.min(...values));
    expect(report.overallScore).toBeLessThanOrEqual(Math.max(...values));
  }
  expect(report.practices).toHaveLength(report.totalWords === 0 ? 0 : 3);
  expect(new Set(report.practices.map((practice) => practice.title)).size).toBe(report.practices.length);
  for (const part of [...report.scores, ...report.practices]) expect(part.evidence).not.toEqual([]);
  for (const sentence of [...report.scores.map((s) => s.summary), ...report.practices.map((p) => p.advice)]) {
    expect(sentence).toMatch(/^[A-Z“].*[.”]$/);
    expect(sentence).not.toMatch(/undefined|NaN|“”/);
  }
  for (const entry of evidenceOf(report)) expectEvidence(entry, wordCount);
}

function expectEvidence(entry: Evidence, wordCount: number): void {
  expect(entry.text).not.toBe("");
  expect(entry.figure === "").toBe(entry.value === undefined);
  if (entry.value !== undefined) expect(Number.isFinite(entry.value)).toBe(true);
  expect(entry.firstWordIndex === undefined).toBe(entry.lastWordIndex === undefined);
  if (entry.firstWordIndex !== undefined && entry.lastWordIndex !== undefined) {
    expect(entry.firstWordIndex).toBeGreaterThanOrEqual(0);
    expect(entry.lastWordIndex).toBeGreaterThanOrEqual(entry.firstWordIndex);
    expect(entry.lastWordIndex).toBeLessThan(wordCount);
    expect(entry.startMs).toBeDefined();
  }
  if (entry.startMs !== undefined && entry.endMs !== undefined)
    expect(entry.endMs).toBeGreaterThanOrEqual(entry.startMs);
}
