/** Feeding an hour piece by piece leaves nothing behind on the signal that would stop it. */
import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { feedRecording } from "../../../src/web/record/feed-recording.ts";
import { createManualClock } from "../../fakes/manual-clock.ts";

const clock = createManualClock();
const silence = (from: number, to: number) => new Int16Array(to - from);
const common = { read: silence, fromSample: 0, clock } as const;

test("each piece takes its listener away again", async () => {
  const { signal } = new AbortController();
  let most = 0;
  await feedRecording({
    ...common,
    transcription: { write: () => Promise.resolve() },
    toSample: 60 * 16_000,
    isPaced: false,
    signal,
    onSamples: () => (most = Math.max(most, getEventListeners(signal, "abort").length)),
  });
  expect(most).toBe(0);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("stopping ends the wait for the next piece, and for room", async () => {
  const stopping = new AbortController();
  const waiting = feedRecording({
    ...common,
    transcription: { write: () => Promise.resolve() },
    toSample: 16_000,
    isPaced: true,
    signal: stopping.signal,
  });
  const full = feedRecording({
    ...common,
    transcription: { write: () => new Promise(() => undefined) },
    toSample: 16_000,
    isPaced: false,
    signal: stopping.signal,
  });
  stopping.abort();
  await Promise.all([waiting, full]);
  expect(getEventListeners(stopping.signal, "abort")).toEqual([]);
});
