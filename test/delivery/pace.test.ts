/**
 * Pace and its windows, edges included, by hand and by properties. Never looks at text.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { averagePace } from "../../src/delivery/average-pace.ts";
import { currentPace } from "../../src/delivery/current-pace.ts";
import { paceTimeline } from "../../src/delivery/pace-timeline.ts";

/** Words of 200 ms that start every `everyMs`. */
const steady = (count: number, everyMs: number, fromMs = 0) =>
  Array.from({ length: count }, (_, index) => {
    const startMs = fromMs + index * everyMs;
    return { startMs, endMs: startMs + 200 };
  });

test("the average runs from the first word's start to the last word's end", () => {
  expect(averagePace([word(1000, 1200), word(3000, 4000)])).toBe(40);
});

test("where words overlap the latest end counts", () => {
  expect(averagePace([word(1000, 4000), word(2000, 2100)])).toBe(40);
});

test("fewer than two words, or words without length, have a pace of 0", () => {
  expect(averagePace([])).toBe(0);
  expect(averagePace([word(0, 500)])).toBe(0);
  expect(averagePace([word(500, 500), word(500, 500)])).toBe(0);
});

test("windows start every 5 s, last 15 s, and end with the session", () => {
  const timeline = paceTimeline(steady(60, 500), 30_000);
  expect(timeline).toEqual([
    { startMs: 0, endMs: 15_000, wordsPerMinute: 120 },
    { startMs: 5_000, endMs: 20_000, wordsPerMinute: 120 },
    { startMs: 10_000, endMs: 25_000, wordsPerMinute: 120 },
    { startMs: 15_000, endMs: 30_000, wordsPerMinute: 120 },
    { startMs: 20_000, endMs: 30_000, wordsPerMinute: 120 },
  ]);
});

test("a window of which less than 7.5 s is within the session is left out", () => {
  expect(paceTimeline([], 17_499).map((point) => point.startMs)).toEqual([0, 5_000]);
  expect(paceTimeline([], 17_500).map((point) => point.startMs)).toEqual([0, 5_000, 10_000]);
});

test("a session shorter than a window has one window, shorter than a second none", () => {
  expect(paceTimeline([word(0, 400), word(500, 900)], 3_000)).toEqual([
    { startMs: 0, endMs: 3_000, wordsPerMinute: 40 },
  ]);
  expect(paceTimeline([word(0, 400)], 999)).toEqual([]);
  expect(paceTimeline([], 0)).toEqual([]);
});

test("a word belongs where its middle is, the window's end excluded and the session's end included", () => {
  const counts = paceTimeline([word(14_000, 16_000), word(20_000, 20_000)], 20_000).map(
    (point) => (point.wordsPerMinute * (point.endMs - point.startMs)) / 60_000,
  );
  expect(counts).toEqual([0, 2, 2]);
});

test("a word beyond the audio received extends the session", () => {
  expect(paceTimeline([word(0, 2_000)], 1_500)).toEqual([{ startMs: 0, endMs: 2_000, wordsPerMinute: 30 }]);
});

test("the current pace is that of the last full window, once there is one", () => {
  expect(currentPace(paceTimeline(steady(20, 500), 14_999))).toBeUndefined();
  expect(currentPace(paceTimeline(steady(60, 500), 31_000))).toEqual({
    startMs: 15_000,
    endMs: 30_000,
    wordsPerMinute: 120,
  });
});

test("every word is in a window, and every window counts exactly its words", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 120 }),
      fc.integer({ min: 210, max: 3_000 }),
      fc.integer({ min: 0, max: 20_000 }),
      (count, everyMs, silenceMs) => {
        const words = steady(count, everyMs, silenceMs);
        const durationMs = words.at(-1)!.endMs + 1_000;
        const timeline = paceTimeline(words, durationMs);
        for (const { startMs, endMs } of words) {
          const middleMs = (startMs + endMs) / 2;
          expect(timeline.some((point) => point.startMs <= middleMs && middleMs <= point.endMs)).toBe(true);
        }
        for (const point of timeline) {
          const lengthMs = point.endMs - point.startMs;
          expect(lengthMs).toBeGreaterThanOrEqual(Math.min(7_500, durationMs));
          const inWindow = words.filter(({ startMs, endMs }) => {
            const middleMs = (startMs + endMs) / 2;
            return middleMs >= point.startMs && (middleMs < point.endMs || point.endMs === durationMs);
          });
          expect(point.wordsPerMinute).toBeCloseTo((inWindow.length * 60_000) / lengthMs, 9);
        }
      },
    ),
  );
});

test("the order of the words does not matter", () => {
  const words = steady(50, 700);
  expect(paceTimeline(words.toReversed(), 36_000)).toEqual(paceTimeline(words, 36_000));
});

function word(startMs: number, endMs: number) {
  return { startMs, endMs };
}
