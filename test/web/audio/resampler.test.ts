/** What a microphone's rate becomes 16 kHz by: what is kept, what is kept out, where things are. */
import { describe, expect, test } from "vitest";
import { Resampler } from "../../../src/web/audio/resampler.ts";
import { tone } from "./tones.ts";

function resample(input: Float32Array, inputRateHz: number, pieceLength = 128): Float32Array {
  const resampler = new Resampler(inputRateHz, 16_000);
  const pieces: number[] = [];
  for (let at = 0; at < input.length; at += pieceLength) {
    pieces.push(...resampler.process(input.subarray(at, at + pieceLength)));
  }
  return Float32Array.from([...pieces, ...resampler.flush()]);
}

/** Of the middle, away from the edges, where a tone begins and ends as a click. */
function middleLevelDb(samples: Float32Array): number {
  const middle = samples.subarray(samples.length / 4, (samples.length * 3) / 4);
  return 10 * Math.log10(middle.reduce((sum, value) => sum + value * value, 0) / middle.length) + 3.01;
}

describe.each([8_000, 16_000, 22_050, 44_100, 48_000, 96_000])("from %i Hz", (rateHz) => {
  test("a tone within the band is the same tone, at the same times", () => {
    const expected = tone({ fromHz: 1_000, seconds: 0.5, rateHz: 16_000 });
    const output = resample(tone({ fromHz: 1_000, seconds: 0.5, rateHz }), rateHz);
    expect(output.length).toBe(expected.length);
    const edge = 400;
    const errors = output
      .subarray(edge, -edge)
      .map((value, index) => Math.abs(value - (expected[index + edge] ?? 0)));
    expect(Math.max(...errors)).toBeLessThan(0.002);
  });

  test("pieces of any length give the same samples", () => {
    const input = tone({ fromHz: 300, toHz: 3_000, seconds: 0.2, rateHz });
    expect(resample(input, rateHz, 1_013)).toEqual(resample(input, rateHz, 128));
  });
});

test.each([44_100, 48_000])("from %i Hz, speech's whole band is kept within half a decibel", (rateHz) => {
  for (const fromHz of [60, 3_400, 6_900]) {
    expect(middleLevelDb(resample(tone({ fromHz, seconds: 0.5, rateHz }), rateHz))).toBeCloseTo(0, 0);
  }
});

test.each([44_100, 48_000, 96_000])(
  "from %i Hz, what 16 kHz cannot hold is gone rather than folded",
  (rateHz) => {
    for (const fromHz of [8_100, 10_000, 15_000, 20_000]) {
      expect(middleLevelDb(resample(tone({ fromHz, seconds: 0.5, rateHz }), rateHz))).toBeLessThan(-65);
    }
  },
);

test("a second gives a second, to the sample", () => {
  expect(resample(new Float32Array(44_100), 44_100).length).toBe(16_000);
  expect(resample(new Float32Array(0), 44_100).length).toBe(0);
});
