import { describe, expect, it } from "vitest";
import {
  Segmenter,
  type SegmenterEvent,
} from "../../../src/transcription/engines/offline/recognition/segmenter.ts";

const frame = 512;
const frames = (ms: number): number => Math.round((ms * 16) / frame);

/** Plays [probability, ms, level] runs and gives the events, checking on the way that nothing goes back. */
function play(
  runs: readonly (readonly [number, number, number?])[],
  last?: "flush" | "end",
): SegmenterEvent[] {
  return playInto(new Segmenter({ sampleRateHz: 16_000 }), runs, last);
}

function playInto(
  segmenter: Segmenter,
  runs: readonly (readonly [number, number, number?])[],
  last?: "flush" | "end",
): SegmenterEvent[] {
  const events: SegmenterEvent[] = [];
  let at = 0;
  let earliest = 0;
  for (const [probability, ms, levelDb] of runs) {
    for (let index = 0; index < frames(ms); index++) {
      const promised = segmenter.earliestStart;
      expect(promised).toBeGreaterThanOrEqual(earliest);
      earliest = promised;
      const fresh = segmenter.push({
        startSample: at,
        endSample: at + frame,
        probability,
        levelDb: levelDb ?? -20,
      });
      for (const event of fresh) {
        if (event.type === "segment") expect(event.range.startSample).toBeGreaterThanOrEqual(promised);
      }
      events.push(...fresh);
      at += frame;
    }
  }
  if (last !== undefined) events.push(...segmenter[last]());
  return events;
}

const segmentsOf = (events: readonly SegmenterEvent[]) => events.filter((event) => event.type === "segment");

describe("a segment of speech", () => {
  it("begins before the first voiced frame, ends after the last, and waits out a short pause", () => {
    const events = play([
      [0, 2000],
      [0.9, 1000],
      [0.1, 320],
      [0.9, 1000],
      [0, 1500],
    ]);
    const segments = segmentsOf(events);
    expect(segments).toHaveLength(1);
    const { startSample, endSample } = segments[0]!.range;
    expect(startSample).toBeGreaterThan(1500 * 16);
    expect(startSample).toBeLessThan(2000 * 16);
    expect(endSample).toBeGreaterThan(4300 * 16);
    expect(endSample).toBeLessThan(4600 * 16);
    expect(segments[0]?.voiced).toHaveLength(2);
    expect(events.map((event) => event.type)).toEqual(["started", "paused", "paused", "ended", "segment"]);
  });

  it("announces at the pause the very range that it then has", () => {
    const events = play([
      [0.9, 1000],
      [0, 1500],
    ]);
    const paused = events.find((event) => event.type === "paused");
    expect(segmentsOf(events)[0]?.range).toEqual(paused?.range);
  });

  it("is not made of a click, nor of a moment of doubt", () => {
    expect(
      play([
        [0, 500],
        [0.9, 32],
        [0, 1000],
      ]),
    ).toEqual([]);
    expect(
      segmentsOf(
        play([
          [0, 500],
          [0.9, 64],
          [0, 1000],
        ]),
      ),
    ).toEqual([]);
    expect(play([[0.4, 5000]])).toEqual([]);
  });

  it("is cut in the first dip after twelve seconds", () => {
    const segments = segmentsOf(
      play([
        [0.9, 12_500],
        [0.1, 130],
        [0.9, 3000],
        [0, 1000],
      ]),
    );
    expect(segments).toHaveLength(2);
    expect(segments[0]!.range.endSample).toBeGreaterThan(12_400 * 16);
    expect(segments[0]!.range.endSample).toBeLessThan(12_700 * 16);
    expect(segments[1]?.range.startSample).toBe(segments[0]?.range.endSample);
  });

  it("is cut at its quietest place when it never pauses, leaving nothing out", () => {
    const segments = segmentsOf(
      play([
        [0.99, 13_000],
        [0.9, 100, -45],
        [0.99, 20_000],
        [0, 1000],
      ]),
    );
    expect(segments[0]!.range.endSample / 16).toBeGreaterThan(12_900);
    expect(segments[0]!.range.endSample / 16).toBeLessThan(13_200);
    for (const [index, segment] of segments.entries()) {
      expect((segment.range.endSample - segment.range.startSample) / 16_000).toBeLessThan(18);
      if (index > 0) expect(segment.range.startSample).toBe(segments[index - 1]?.range.endSample);
    }
  });

  it("ends with the audio at the end, and leaves nothing for later", () => {
    const events = play([[0.9, 1000]], "end");
    expect(segmentsOf(events)[0]?.range).toEqual({ startSample: 0, endSample: frames(1000) * frame });
    expect(play([[0, 1000]], "end")).toEqual([]);
  });

  it("is not cut before what was told of it", () => {
    const toldMs = 14_000;
    const segmenter = new Segmenter({ sampleRateHz: 16_000 });
    segmenter.told(toldMs * 16);
    const segments = segmentsOf(
      playInto(segmenter, [
        [0.99, 13_000],
        [0.9, 100, -45],
        [0.99, 8_000],
      ]),
    );
    expect(segments[0]?.range.endSample).toBeGreaterThanOrEqual(toldMs * 16);
  });
});

describe("a flush in mid-stream", () => {
  const flushed = (runs: readonly (readonly [number, number, number?])[]) => {
    const segmenter = new Segmenter({ sampleRateHz: 16_000 });
    const events = playInto(segmenter, runs, "flush");
    const end = runs.reduce((sum, [, ms]) => sum + frames(ms), 0) * frame;
    return { segmenter, events, keptMs: (end - segmenter.earliestStart) / 16 };
  };

  it("ends a segment after which there is silence, and keeps nothing", () => {
    const { events, keptMs } = flushed([
      [0.9, 1000],
      [0.01, 300, -60],
    ]);
    expect(events.map((event) => event.type)).toEqual(["started", "paused", "ended", "segment"]);
    expect(keptMs).toBe(0);
  });

  it("leaves a segment open while somebody speaks, also in the middle of a word's closure", () => {
    for (const closureMs of [0, 32]) {
      const { segmenter, events } = flushed([
        [0.9, 1000],
        [0.1, closureMs, -45],
      ]);
      expect(events.map((event) => event.type)).toEqual(["started"]);
      expect(segmenter.segmentStart).toBe(0);
    }
  });

  it("leaves open what is too short to be speech as yet", () => {
    const { segmenter, events } = flushed([
      [0.01, 1000, -60],
      [0.9, 64],
      [0.01, 96, -60],
    ]);
    expect(events.map((event) => event.type)).toEqual(["started"]);
    expect(segmenter.segmentStart).toBeDefined();
  });

  it("keeps what may be the soft beginning of a word, by its likeness to speech or by its loudness", () => {
    for (const [probability, levelDb] of [
      [0.2, -60],
      [0.02, -45],
    ] as const) {
      const { keptMs } = flushed([
        [0.01, 1000, -60],
        [probability, 64, levelDb],
      ]);
      expect(keptMs).toBeGreaterThanOrEqual(300);
      expect(keptMs).toBeLessThan(1000);
    }
  });

  it("keeps nothing of silence", () => {
    expect(flushed([[0.01, 1000, -60]])).toMatchObject({ events: [], keptMs: 0 });
    expect(flushed([])).toMatchObject({ events: [], keptMs: 0 });
  });
});
