import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReplayBuffer } from "../../../src/transcription/session/replay-buffer.ts";

/** 0, 1, 2, … so that every sample says where it belongs. */
const counting = (from: number, length: number) => Float32Array.from({ length }, (_, index) => from + index);

function readAll(
  buffer: ReplayBuffer,
  from: number,
  maxSamples: number,
): { samples: number[]; pieces: number } {
  const samples: number[] = [];
  let pieces = 0;
  for (let at = from; ; pieces++) {
    const piece = buffer.read(at, maxSamples);
    if (piece.length === 0) return { samples, pieces };
    samples.push(...piece);
    at += piece.length;
  }
}

describe("a replay buffer", () => {
  test("gives back what was appended, from any place that is still held, however it was cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9_000 }), { maxLength: 12 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (lengths, where) => {
          const buffer = new ReplayBuffer();
          for (const length of lengths) buffer.append(counting(buffer.end, length));
          const total = buffer.end;
          buffer.release(Math.floor(total * where));
          expect(buffer.start).toBe(Math.floor(total * where));
          buffer.append(counting(total, 100));
          expect(readAll(buffer, buffer.start, 4_000).samples).toEqual([
            ...counting(buffer.start, total + 100 - buffer.start),
          ]);
        },
      ),
    );
  });

  test("what was read stays as it was while more is appended", () => {
    const buffer = new ReplayBuffer();
    buffer.append(counting(0, 10));
    const read = buffer.read(0, 10);
    for (let at = 10; at < 20_000; at++) buffer.append(counting(at, 1));
    expect([...read]).toEqual([...counting(0, 10)]);
  });

  test("audio that comes sample by sample is read in large pieces", () => {
    const buffer = new ReplayBuffer();
    for (let at = 0; at < 80_000; at++) buffer.append(counting(at, 1));
    expect(readAll(buffer, 0, 8_000).pieces).toBeLessThan(25);
  });
});
