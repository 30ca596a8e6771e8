/** Figures while somebody speaks: pace by the server's formulas, traces that stay bounded. */
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  AudioAckSchema,
  TranscriptSchema,
} from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { COMFORTABLE_WPM } from "../../../src/analysis/rules/score-pace.ts";
import { comfortableWpm } from "../../../src/web/record/comfortable-pace.ts";
import { LiveFigures } from "../../../src/web/record/live-figures.ts";

test("the band that is drawn is the one that reports score by", () => {
  expect(comfortableWpm).toEqual(COMFORTABLE_WPM);
});

test("pace is counted from finals, up to where they are complete", () => {
  const figures = new LiveFigures();
  const words = Array.from({ length: 60 }, (_, index) => ({
    text: "word",
    startMs: index * 500,
    endMs: index * 500 + 400,
  }));
  const say = (isFinal: boolean, from: number, to: number) =>
    figures.take({
      case: "transcript",
      value: create(TranscriptSchema, { isFinal, words: words.slice(from, to) }),
    });
  say(true, 0, 40);
  say(false, 40, 60);
  expect(figures.pace.value).toEqual([]);
  figures.take({ case: "audioAck", value: create(AudioAckSchema, { throughMs: 20_000 }) });
  expect(figures.pace.value.map(({ startMs, wordsPerMinute }) => [startMs, wordsPerMinute])).toEqual([
    [0, 120],
    [5_000, 120],
    [10_000, 120],
  ]);
});

test("a trace keeps the last half minute, whatever comes in whatever pieces", () => {
  const figures = new LiveFigures();
  const piece = (firstFrame: number, count: number) => ({
    firstFrame,
    levelsDbfs: Float32Array.from({ length: count }, (_, index) => -(firstFrame + index)),
    pitchesHz: new Float32Array(count).fill(NaN),
  });
  figures.takeTrace(piece(0, 20), 2_000);
  expect(figures.trace.value.startMs).toBe(3_000 - 30_000);
  expect(figures.trace.value.levelsDbfs.at(579)).toBeNaN();
  expect([figures.trace.value.levelsDbfs.at(580), figures.trace.value.levelsDbfs.at(-1)]).toEqual([-0, -19]);
  figures.takeTrace(piece(20, 1_000), 2_000);
  expect(figures.trace.value.levelsDbfs).toHaveLength(600);
  expect([figures.trace.value.levelsDbfs.at(0), figures.trace.value.levelsDbfs.at(-1)]).toEqual([
    -420, -1_019,
  ]);
});
