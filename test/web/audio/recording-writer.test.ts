/** A recording on its way to the store: gathered, in order, and what happens when there is no room. */
import { expect, test, vi } from "vitest";
import { RecordingWriter } from "../../../src/web/audio/recording-writer.ts";
import type { Recording } from "../../../src/web/audio/recording-store.ts";

/** Has room for so many samples, in memory. */
function smallStore(room: number, finished: readonly string[] = []) {
  const pieces: { firstSample: number; samples: Int16Array }[] = [];
  let left = room;
  const recordings = finished.map((recordingId) => ({ recordingId, isFinished: true }) as Recording);
  return {
    pieces,
    recordings,
    list: async () => [...recordings],
    delete: async (recordingId: string) => {
      recordings.splice(
        recordings.findIndex((recording) => recording.recordingId === recordingId),
        1,
      );
      left += 4_000;
    },
    append: async (_recordingId: string, firstSample: number, samples: Int16Array) => {
      if (samples.length > left) throw new DOMException("full", "QuotaExceededError");
      left -= samples.length;
      pieces.push({ firstSample, samples });
    },
  };
}

const counted = (from: number, to: number) =>
  Int16Array.from({ length: to - from }, (_, index) => from + index);

test("pieces of 50 ms are stored 250 ms at a time, and the rest when asked", async () => {
  const store = smallStore(Infinity);
  const writer = new RecordingWriter({ store, recordingId: "r", firstSample: 100, onTrouble: vi.fn() });
  for (let at = 0; at < 4_800; at += 800) writer.append(counted(at, at + 800));
  await writer.flush();
  expect(store.pieces).toEqual([
    { firstSample: 100, samples: counted(0, 4_000) },
    { firstSample: 4_100, samples: counted(4_000, 4_800) },
  ]);
});

test("a long piece is stored in parts that the store reads back", async () => {
  const store = smallStore(Infinity);
  const writer = new RecordingWriter({ store, recordingId: "r", firstSample: 0, onTrouble: vi.fn() });
  writer.append(new Int16Array(400_000));
  await writer.flush();
  expect(store.pieces.map(({ firstSample, samples }) => [firstSample, samples.length])).toEqual([
    [0, 160_000],
    [160_000, 160_000],
    [320_000, 80_000],
  ]);
});

test("when there is no room, the oldest recordings go first", async () => {
  const store = smallStore(4_000, ["newer", "older"]);
  const onTrouble = vi.fn();
  const writer = new RecordingWriter({ store, recordingId: "r", firstSample: 0, onTrouble });
  writer.append(new Int16Array(4_000));
  writer.append(new Int16Array(4_000));
  await writer.flush();
  expect(store.pieces).toHaveLength(2);
  expect(store.recordings.map(({ recordingId }) => recordingId)).toEqual(["newer"]);
  expect(onTrouble).not.toHaveBeenCalled();
});

test("when there is no room at all, that is told once, and nothing throws", async () => {
  const store = smallStore(4_000);
  const onTrouble = vi.fn();
  const writer = new RecordingWriter({ store, recordingId: "r", firstSample: 0, onTrouble });
  for (let count = 0; count < 3; count += 1) writer.append(new Int16Array(4_000));
  await writer.flush();
  expect(store.pieces).toHaveLength(1);
  expect(onTrouble).toHaveBeenCalledTimes(1);
});
