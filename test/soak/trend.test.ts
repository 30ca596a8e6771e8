import { describe, expect, test } from "vitest";
import { createRandom } from "../chaos/random.ts";
import { fitTrend, judgeGrowth } from "./trend.ts";
import type { Sample } from "./trend.ts";

/** Half an hour, every 3 s, around 150 MB: a saw-tooth of 6 MB with a period of 40 s, and noise. */
const measured = (leakMbPerHour: number, minutes = 30, seed = 1): Sample[] => {
  const random = createRandom(seed);
  return Array.from({ length: minutes * 20 }, (_, index) => ({
    atMs: index * 3_000,
    mb: 150 + ((index * 3) % 40) * 0.15 + random.between(-1, 1) + (leakMbPerHour * index * 3) / 3_600,
  }));
};

describe("growth of memory", () => {
  test("the slope of a straight line is found exactly, with no error", () => {
    const { mbPerHour, standardErrorMbPerHour } = fitTrend(
      [0, 1, 2, 3].map((minute) => ({ atMs: minute * 60_000, mb: 100 + minute })),
    );
    expect(mbPerHour).toBeCloseTo(60);
    expect(standardErrorMbPerHour).toBeCloseTo(0);
  });

  test.each([1, 2, 3, 4, 5])("a saw-tooth that does not rise passes, seed %i", (seed) => {
    expect(judgeGrowth(measured(0, 30, seed), 16).passes).toBe(true);
  });

  test.each([1, 2, 3, 4, 5])("a leak of 40 MB an hour under the saw-tooth fails, seed %i", (seed) => {
    const verdict = judgeGrowth(measured(40, 30, seed), 16);
    expect(verdict.passes).toBe(false);
    expect(Math.abs(verdict.mbPerHour - 40)).toBeLessThan(2 * verdict.standardErrorMbPerHour + 1);
  });

  test("a slope that is too uncertain fails, though it is flat", () => {
    const wild = measured(0).map((sample, index) => ({ ...sample, mb: index % 200 < 100 ? 100 : 200 }));
    expect(judgeGrowth(wild, 16).passes).toBe(false);
  });

  test("samples that are like their neighbours make the slope less sure", () => {
    const slow = measured(0).map((sample, index) => ({ ...sample, mb: 150 + Math.sin(index / 20) }));
    const fast = measured(0).map((sample, index) => ({ ...sample, mb: 150 + Math.sin(index * 20) }));
    expect(fitTrend(slow).standardErrorMbPerHour).toBeGreaterThan(3 * fitTrend(fast).standardErrorMbPerHour);
  });
});
