import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AudioTail } from "../../src/client/audio-tail.ts";

const bytes = (from: number, to: number) =>
  Uint8Array.from({ length: 2 * (to - from) }, (_, i) => from + (i >> 1));
const tailOf = (given: Partial<ConstructorParameters<typeof AudioTail>[0]> = {}) =>
  new AudioTail({ bytesPerFrame: 2, framesPerBlock: 10, maxFrames: 100, firstFrame: 0, ...given });

/** Everything from there on, piece by piece. */
function readAll(tail: AudioTail, from: number): number[] {
  const read: number[] = [];
  for (let at = from; ;) {
    const piece = tail.read(at, Infinity);
    if (!piece) return read;
    expect(piece.firstFrame).toBe(at);
    expect(piece.data.length).toBe(piece.frames * 2);
    read.push(...piece.data);
    at += piece.frames;
  }
}

describe("the tail", () => {
  test("gives back what came in, in pieces that cross no block and no border", () => {
    const tail = tailOf();
    tail.append(bytes(0, 7));
    tail.append(bytes(7, 25));
    expect(tail.read(0, Infinity)).toMatchObject({ firstFrame: 0, frames: 10 });
    expect(tail.read(13, Infinity)).toMatchObject({ firstFrame: 13, frames: 7 });
    expect(tail.read(13, 15)).toMatchObject({ firstFrame: 13, frames: 2 });
    expect(tail.read(25, Infinity)).toBeUndefined();
    expect(readAll(tail, 0)).toEqual([...bytes(0, 25)]);
  });

  test("forgets what is acknowledged, never what is not, and never goes back", () => {
    const tail = tailOf();
    tail.append(bytes(0, 50));
    tail.dropBefore(23);
    tail.dropBefore(10);
    expect(tail.start).toBe(23);
    expect(readAll(tail, 23)).toEqual([...bytes(23, 50)]);
    expect(() => tail.read(22, Infinity)).toThrow(RangeError);
    tail.dropBefore(1000);
    expect([tail.start, tail.end]).toEqual([50, 50]);
  });

  test("drops the oldest when there is too much, by the frame", () => {
    const tail = tailOf();
    tail.append(bytes(0, 90));
    tail.append(bytes(90, 123));
    expect([tail.start, tail.end]).toEqual([23, 123]);
    expect(readAll(tail, 23)).toEqual([...bytes(23, 123)]);
  });

  test("moves as a whole", () => {
    const tail = tailOf({ firstFrame: 5 });
    tail.append(bytes(0, 20));
    tail.dropBefore(8);
    tail.moveTo(100);
    expect([tail.start, tail.end]).toEqual([100, 117]);
    expect(readAll(tail, 100)).toEqual([...bytes(3, 20)]);
    tail.append(bytes(20, 40));
    expect(readAll(tail, 100)).toEqual([...bytes(3, 40)]);
  });

  test("is right whatever is written, acknowledged and dropped", () => {
    const step = fc.oneof(
      fc.record({ write: fc.integer({ min: 0, max: 60 }) }),
      fc.record({ acknowledge: fc.integer({ min: 0, max: 60 }) }),
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 17 }),
        (steps, framesPerBlock) => {
          const tail = tailOf({ framesPerBlock });
          let [start, end] = [0, 0];
          for (const move of steps) {
            if ("write" in move) {
              tail.append(bytes(end, end + move.write));
              end += move.write;
              start = Math.max(start, end - 100);
            } else {
              tail.dropBefore(start + move.acknowledge);
              start = Math.min(start + move.acknowledge, end);
            }
            expect([tail.start, tail.end]).toEqual([start, end]);
            expect(readAll(tail, start)).toEqual([...bytes(start, end)]);
          }
        },
      ),
    );
  });
});
