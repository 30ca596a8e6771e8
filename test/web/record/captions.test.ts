/** Captions as they grow: interims that settle, segments that come late or are taken back, pauses, hesitations. */
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { TranscriptSchema } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { Captions } from "../../../src/web/record/captions.ts";

/** Words as "text@start-end". */
function transcript(segmentIndex: number, words: string, isFinal = true) {
  const read = words
    .split(" ")
    .filter(Boolean)
    .map((word) => {
      const [text = "", times = ""] = word.split("@");
      const [startMs = 0, endMs = 0] = times.split("-").map(Number);
      return { text, startMs, endMs };
    });
  return create(TranscriptSchema, {
    segmentIndex,
    isFinal,
    text: read.map(({ text }) => text).join(" "),
    words: read,
  });
}

const shown = (captions: Captions) =>
  captions.rows.value.map(
    ({ words, isFinal }) => `${isFinal ? "" : "~"}${words.map(({ text }) => text).join(" ")}`,
  );

test("an interim is replaced by later ones and settles into its final; other rows stay the same objects", () => {
  const captions = new Captions();
  captions.take(transcript(0, "Good@0-100 morning.@120-300"));
  const [first] = captions.rows.value;
  captions.take(transcript(1, "How@500-600", false));
  captions.take(transcript(1, "How@500-600 are@620-700", false));
  expect(shown(captions)).toEqual(["Good morning.", "~How are"]);
  captions.take(transcript(1, "How@500-600 are@620-700 you?@720-800"));
  expect(shown(captions)).toEqual(["Good morning.", "How are you?"]);
  expect(captions.rows.value[0]).toBe(first);
  expect(captions.latestFinal.value?.segmentIndex).toBe(1);
});

test("a segment that turned out to hold no words is taken back", () => {
  const captions = new Captions();
  captions.take(transcript(0, "Hm@0-100", false));
  captions.take(transcript(0, "", false));
  captions.take(transcript(1, "", false));
  expect(shown(captions)).toEqual([]);
});

test("finals that come again after a reload take their places, in whatever order", () => {
  const captions = new Captions();
  captions.take(transcript(2, "three@5000-5200", false));
  captions.take(transcript(0, "one@0-200"));
  captions.take(transcript(1, "two@1000-1200"));
  expect(shown(captions)).toEqual(["one", "two", "~three"]);
  expect(captions.rows.value.map(({ words }) => words[0]?.pauseMs)).toEqual([undefined, 800, 3_800]);
});

test("pauses of 300 ms and more are shown, within rows and between them", () => {
  const captions = new Captions();
  captions.take(transcript(0, "a@0-100 b@399-500 c@800-900"));
  captions.take(transcript(1, "d@2900-3000"));
  expect(captions.rows.value.flatMap(({ words }) => words.map(({ pauseMs }) => pauseMs))).toEqual([
    undefined,
    undefined,
    300,
    2_000,
  ]);
});

test("hesitations are marked, and what is none though it looks like one is not", () => {
  const captions = new Captions();
  captions.take(transcript(0, "Um,@0-1 I@2-3 hmm@4-5 like@6-7 uh@8-9 huh@10-11 5@12-13 mm@14-15"));
  const marked = captions.rows.value[0]?.words.filter(({ isFiller }) => isFiller).map(({ text }) => text);
  expect(marked).toEqual(["Um,", "hmm"]);
});

test("a text without words is one", () => {
  const captions = new Captions();
  captions.take(create(TranscriptSchema, { segmentIndex: 0, text: "Hello there.", startMs: 10, endMs: 90 }));
  expect(captions.rows.value[0]?.words).toMatchObject([{ text: "Hello there.", startMs: 10, endMs: 90 }]);
});
