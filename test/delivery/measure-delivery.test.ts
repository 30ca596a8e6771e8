/**
 * All figures together: hand-computed examples, the true words of test/audio, properties, cost. Details of one
 * figure are tested beside it.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FORMULA_VERSION, measureDelivery } from "../../src/delivery/measure-delivery.ts";
import type { DeliveryInput } from "../../src/delivery/measure-delivery.ts";
import { audioWords, RECORDINGS } from "./audio-words.ts";
import { spoken } from "./spoken.ts";

const EMPTY: DeliveryInput = { words: [], voiced: [], durationMs: 0, fillers: "kept" };

describe("what counts as a word", () => {
  test.each([
    ["Mr. Smith isn't well-known, uh-huh, 42% of the time", 9],
    ["yes — no ... & 7", 3],
    ["Où était-ce ?", 2],
  ])("%s", (text, count) => {
    expect(measureDelivery({ ...EMPTY, words: spoken(text) }).totalWords).toBe(count);
  });
});

test("nothing said", () => {
  expect(measureDelivery({ ...EMPTY, durationMs: 4000 })).toEqual({
    formulaVersion: FORMULA_VERSION,
    durationMs: 4000,
    speakingMs: 0,
    totalWords: 0,
    averagePace: 0,
    articulationRate: 0,
    paceTimeline: [{ startMs: 0, endMs: 4000, wordsPerMinute: 0 }],
    fillers: { detectable: true, count: 0, uses: [] },
    pauses: { count: 0, longCount: 0, totalMs: 0, longestMs: 0, spans: [] },
  });
});

test("one word has no pace but a rate of articulation", () => {
  const figures = measureDelivery({
    ...EMPTY,
    words: spoken("Yes."),
    voiced: [{ startMs: 0, endMs: 200 }],
    durationMs: 900,
  });
  expect(figures).toMatchObject({ totalWords: 1, averagePace: 0, articulationRate: 300, paceTimeline: [] });
});

test("fillers per minute of voice and per 100 words, counted by hand", () => {
  const words = spoken("Um, I think, you know, it was, like, good.");
  const voiced = [{ startMs: 0, endMs: 3_000 }];
  const { fillers } = measureDelivery({ words, voiced, durationMs: 4_000, fillers: "kept" });
  expect(fillers).toMatchObject({ detectable: true, count: 3, perMinute: 60 });
  expect(fillers.per100Words).toBeCloseTo((3 * 100) / 9, 9);
});

test("an engine that may drop fillers gives no figure, not a zero", () => {
  const { fillers } = measureDelivery({ ...EMPTY, words: spoken("So, um, yes."), fillers: "may-drop" });
  expect(fillers).toEqual({ detectable: false, uses: [] });
});

test("without voiced spans the words' own spans stand in", () => {
  const figures = measureDelivery({ ...EMPTY, words: spoken("one {2000} two"), durationMs: 3_000 });
  expect(figures).toMatchObject({ speakingMs: 400, articulationRate: 300, pauses: { longCount: 1 } });
});

describe("true words of real recordings", () => {
  test("austen-0870: 22 words from 150 to 7040 ms, all gaps 10 ms but one", () => {
    const words = audioWords("austen-0870");
    const figures = measureDelivery({ words, voiced: words, durationMs: 7_200, fillers: "kept" });
    expect(figures.totalWords).toBe(22);
    expect(figures.averagePace).toBeCloseTo((22 * 60_000) / 6_890, 9);
    expect(figures.speakingMs).toBe(6_890 - 21 * 10);
    expect(figures.fillers).toMatchObject({ count: 0, per100Words: 0 });
    expect(figures.pauses.count).toBe(0);
  });

  test("two recordings one after the other have the pause between them", () => {
    const first = audioWords("austen-0880");
    const second = audioWords("austen-0930").map((word) => shifted(word, 5_000));
    const words = [...first, ...second];
    const { pauses } = measureDelivery({ words, voiced: words, durationMs: 8_000, fillers: "kept" });
    expect(pauses.spans).toEqual([{ startMs: 2_790, endMs: 5_200, kind: "long" }]);
  });

  test.each(RECORDINGS)("%s: read speech has a rate that a voice can have", (recording) => {
    const words = audioWords(recording);
    const durationMs = words.at(-1)!.endMs + 200;
    const figures = measureDelivery({ words, voiced: words, durationMs, fillers: "kept" });
    expect(figures.averagePace).toBeGreaterThan(120);
    expect(figures.articulationRate).toBeGreaterThanOrEqual(figures.averagePace);
    expect(figures.articulationRate).toBeLessThan(240);
  });
});

/** A session: words with gaps, in order, some of them fillers, and voiced spans around them. */
const sessions = fc
  .array(
    fc.record({
      text: fc.constantFrom(
        "the",
        "Um,",
        "well.",
        "like,",
        "so",
        "you",
        "know,",
        "I",
        "mean",
        "42",
        "—",
        "team",
      ),
      gapMs: fc.integer({ min: 0, max: 3_000 }),
      lengthMs: fc.integer({ min: 0, max: 900 }),
    }),
    { maxLength: 60 },
  )
  .map((parts): DeliveryInput => {
    let atMs = 0;
    const words = parts.map(({ text, gapMs, lengthMs }) => {
      const startMs = atMs + gapMs;
      atMs = startMs + lengthMs;
      return { text, startMs, endMs: atMs };
    });
    return { words, voiced: words, durationMs: atMs + 1_000, fillers: "kept" };
  });

test("shifting all times shifts evidence only", () => {
  fc.assert(
    fc.property(sessions, fc.integer({ min: 1, max: 100_000 }), (input, byMs) => {
      const shift = <T extends { startMs: number; endMs: number }>(spans: readonly T[]) =>
        spans.map((span) => shifted(span, byMs));
      const before = measureDelivery(input);
      const after = measureDelivery({
        ...input,
        words: shift(input.words),
        voiced: shift(input.voiced),
        durationMs: input.durationMs + byMs,
      });
      expect({ ...after, durationMs: 0, paceTimeline: [] }).toEqual({
        ...before,
        durationMs: 0,
        paceTimeline: [],
        fillers: { ...before.fillers, uses: shift(before.fillers.uses) },
        pauses: { ...before.pauses, spans: shift(before.pauses.spans) },
      });
    }),
  );
});

test("evidence points at words that are there, in order and without overlaps", () => {
  fc.assert(
    fc.property(sessions, (input) => {
      const { uses, count } = measureDelivery(input).fillers;
      expect(count).toBe(uses.length);
      let next = 0;
      for (const use of uses) {
        expect(use.firstWordIndex).toBeGreaterThanOrEqual(next);
        expect(use.lastWordIndex).toBeLessThan(input.words.length);
        expect(use.startMs).toBe(input.words[use.firstWordIndex]!.startMs);
        next = use.lastWordIndex + 1;
      }
    }),
  );
});

test("every figure is a finite number that is not negative", () => {
  fc.assert(
    fc.property(sessions, (input) => {
      const figures = measureDelivery(input);
      const numbers = [
        figures.speakingMs,
        figures.averagePace,
        figures.articulationRate,
        ...figures.paceTimeline.map((point) => point.wordsPerMinute),
        figures.fillers.perMinute ?? 0,
        figures.fillers.per100Words ?? 0,
      ];
      for (const value of numbers) {
        expect(Number.isFinite(value)).toBe(true);
        expect(value).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});

test("an hour of 10,000 words is measured again and again without being noticed", () => {
  const tokens = ["So,", "um", "we", "built", "it,", "you", "know,", "together."];
  const words = Array.from({ length: 10_000 }, (_, index) => ({
    text: tokens[index % tokens.length]!,
    startMs: index * 360,
    endMs: index * 360 + 300,
  }));
  const timesMs = Array.from({ length: 10 }, () => {
    const startMs = performance.now();
    measureDelivery({ words, voiced: words, durationMs: 3_600_000, fillers: "kept" });
    return performance.now() - startMs;
  });
  expect(Math.min(...timesMs)).toBeLessThan(50);
});

function shifted<T extends { startMs: number; endMs: number }>(span: T, byMs: number): T {
  return { ...span, startMs: span.startMs + byMs, endMs: span.endMs + byMs };
}
