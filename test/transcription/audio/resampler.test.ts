import { describe, expect, test } from "vitest";
import { createResampler } from "../../../src/transcription/audio/resampler.ts";

const outputRate = 16_000;

async function resample(input: Float32Array, inputRate: number, chunk: number): Promise<Float32Array> {
  const resampler = await createResampler(inputRate, outputRate);
  const parts: Float32Array[] = [];
  for (let at = 0; at < input.length; at += chunk) parts.push(resampler.process(input.slice(at, at + chunk)));
  parts.push(resampler.flush());
  resampler.release();
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

const tone = (hz: number, rate: number, seconds: number) =>
  Float32Array.from({ length: Math.round(rate * seconds) }, (_, index) =>
    Math.sin((2 * Math.PI * hz * index) / rate),
  );

const level = (samples: Float32Array) =>
  Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);

describe.each([8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])("from %i Hz", (rate) => {
  test("a tone comes out the same, from the first sample to the last, however it is cut", async () => {
    const input = tone(440, rate, 1);
    for (const chunk of [rate / 50, 1000, input.length].map(Math.round)) {
      const output = await resample(input, rate, chunk);
      expect(output.length).toBe(outputRate);
      const expected = tone(440, outputRate, 1);
      // The edges, where the tone begins and ends abruptly, ring.
      for (let at = 400; at < outputRate - 400; at++)
        expect(Math.abs(output[at]! - expected[at]!)).toBeLessThan(0.01);
    }
  });
});

test("what is above half the output rate does not fold back", async () => {
  const output = await resample(tone(11_000, 48_000, 1), 48_000, 960);
  expect(level(output.subarray(1000, 15_000))).toBeLessThan(0.001);
});
