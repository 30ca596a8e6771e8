/** Figures of a whole voice, and traces made short for charts. */
import { expect, test } from "vitest";
import { measureVoice } from "../../../src/web/audio/measure-voice.ts";
import { thinTrace } from "../../../src/web/audio/thin-trace.ts";

const trace = (frames: readonly (readonly [levelDbfs: number, pitchHz: number])[]) => ({
  levelsDbfs: Float32Array.from(frames, ([level]) => level),
  pitchesHz: Float32Array.from(frames, ([, pitch]) => pitch),
});

test("pitch and loudness of the voiced frames alone", () => {
  const voice = Array.from(
    { length: 100 },
    (_, index) => [index % 2 ? -20 : -26, index % 2 ? 100 : 200] as const,
  );
  const figures = measureVoice(trace([...voice, ...Array.from({ length: 900 }, () => [-96, NaN] as const)]));
  // Half the frames lie an octave from the median: 12 semitones, in the square mean 8.5.
  expect(figures?.medianHz).toBe(200);
  expect(figures?.pitchSpreadSemitones).toBeCloseTo(8.49, 1);
  expect(figures?.levelDbfs).toBeCloseTo(-22.04, 1);
  expect(figures?.levelSpreadDb).toBeCloseTo(3, 3);
});

test("too little voice has no figures", () => {
  expect(measureVoice(trace(Array.from({ length: 39 }, () => [-20, 100] as const)))).toBeUndefined();
});

test("a short trace stays as it is; a long one keeps what is loud and the pitch in the middle", () => {
  const frames = [
    [-30, 100],
    [-10, NaN],
    [-20, 120],
    [-50, NaN],
  ] as const;
  expect(thinTrace(trace(frames), 10)).toEqual({
    seconds: [0.025, 0.075, 0.125, 0.175].map((seconds): unknown => expect.closeTo(seconds)),
    levelsDbfs: [-30, -10, -20, -50],
    pitchesHz: [100, null, 120, null],
  });
  expect(thinTrace(trace(frames), 2)).toEqual({
    seconds: [0.05, 0.15].map((seconds): unknown => expect.closeTo(seconds)),
    levelsDbfs: [-10, -20],
    pitchesHz: [100, 120],
  });
  expect(thinTrace(trace(Array.from({ length: 72_000 }, () => [-20, 100])), 1_000).seconds).toHaveLength(
    1_000,
  );
});
