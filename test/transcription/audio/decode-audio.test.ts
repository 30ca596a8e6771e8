import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesPerFrame } from "../../../src/transcription/audio/audio-format.ts";
import { decodeAudio } from "../../../src/transcription/audio/decode-audio.ts";

const format = (encoding: "linear16" | "mulaw" | "float32", channelCount = 1) => ({
  encoding,
  sampleRateHz: 16_000,
  channelCount,
});

describe("LINEAR16", () => {
  test("every value is itself over 32768, at any place in memory", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -32_768, max: 32_767 })), fc.nat(3), (values, offset) => {
        const bytes = new Uint8Array(offset + values.length * 2);
        const view = new DataView(bytes.buffer);
        values.forEach((value, index) => view.setInt16(offset + index * 2, value, true));
        const [samples] = decodeAudio(bytes.subarray(offset), format("linear16"));
        expect([...samples!]).toEqual(values.map((value) => value / 32_768));
      }),
    );
  });

  test("channels are taken apart", () => {
    const bytes = new Uint8Array(new Int16Array([1, -1, 2, -2, 3, -3]).buffer);
    const channels = decodeAudio(bytes, format("linear16", 2)).map((samples) =>
      [...samples].map((value) => value * 32_768),
    );
    expect(channels).toEqual([
      [1, 2, 3],
      [-1, -2, -3],
    ]);
  });
});

describe("FLOAT32", () => {
  test("values outside [-1, 1] are clipped, and what is no number is silence", () => {
    const values = new Float32Array([0.5, -1, 1.5, -7, Infinity, -Infinity, NaN]);
    const [samples] = decodeAudio(new Uint8Array(values.buffer), format("float32"));
    expect([...samples!]).toEqual([0.5, -1, 1, -1, 1, -1, 0]);
  });
});

describe("MULAW", () => {
  // ITU-T G.711, table 2a/2b: decoder output values of some codes, at 14 bits, here at 16.
  test.each([
    [0xff, 0],
    [0x7f, 0],
    [0xfe, 8],
    [0x7e, -8],
    [0x80, 32_124],
    [0x00, -32_124],
    [0xf0, 120],
    [0x70, -120],
  ])("code %i is %i", (code, value) => {
    const [samples] = decodeAudio(new Uint8Array([code]), format("mulaw"));
    expect(samples![0]! * 32_768).toBeCloseTo(value, 6);
  });
});

test("a frame is one sample of every channel", () => {
  expect(bytesPerFrame(format("linear16", 2))).toBe(4);
  expect(bytesPerFrame(format("mulaw"))).toBe(1);
  expect(bytesPerFrame(format("float32", 3))).toBe(12);
});
