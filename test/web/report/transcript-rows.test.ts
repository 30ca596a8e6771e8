/** A session's words as paragraphs, and where in them something is. */
import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { EvidenceSchema } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { SessionSummarySchema } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { placeOf, placeOfPause, placeOfSpan } from "../../../src/web/report/cited-place.ts";
import { readTranscript, rowOf, wordsWithin } from "../../../src/web/report/transcript-rows.ts";

/** Each word takes 200 ms, and 100 ms lie between them; "|" is a long pause. */
function summaryOf(text: string) {
  let atMs = 0;
  const words = text.split(" ").flatMap((word) => {
    if (word === "|") {
      atMs += 2_500;
      return [];
    }
    const startMs = atMs;
    atMs += 300;
    return [{ text: word, startMs, endMs: startMs + 200 }];
  });
  return create(SessionSummarySchema, { words });
}

const paragraphs = (text: string) =>
  readTranscript(summaryOf(text)).map(({ words }) => words.map((word) => word.text).join(" "));

describe("paragraphs", () => {
  test("end with a sentence once they are long enough, and with a long pause", () => {
    const long = `${"word ".repeat(13)}end.`;
    expect(paragraphs(`Yes. No. ${long} Next one. | After.`)).toEqual([
      `Yes. No. ${long}`,
      "Next one.",
      "After.",
    ]);
  });

  test("end somewhere though no sentence does", () => {
    expect(paragraphs("and ".repeat(130).trim()).map((row) => row.split(" ").length)).toEqual([60, 60, 10]);
  });

  test("of a session without words there is none", () => {
    expect(readTranscript(create(SessionSummarySchema, {}))).toEqual([]);
  });

  test("mark the fillers that the server found, of two words too", () => {
    const summary = summaryOf("It was, you know, late");
    summary.fillers = create(SessionSummarySchema, {
      fillers: { detectable: true, uses: [{ firstWordIndex: 2, lastWordIndex: 3 }] },
    }).fillers!;
    const [row] = readTranscript(summary);
    expect(row?.words.map(({ isFiller }) => isFiller)).toEqual([false, false, true, true, false]);
  });
});

describe("places", () => {
  const summary = summaryOf("a b c | d e");
  const { words } = summary;

  test("a span means every word that it touches", () => {
    expect(wordsWithin(words, 100, 700)).toEqual({ firstWord: 0, lastWord: 2 });
    expect(wordsWithin(words, 200, 300)).toBeUndefined();
    expect(placeOfSpan(0, 200, words)).toEqual({
      words: { firstWord: 0, lastWord: 0 },
      startMs: 0,
      endMs: 200,
    });
  });

  test("a pause means the words around it", () => {
    expect(placeOfPause(800, 3_400, words)).toEqual({
      words: { firstWord: 2, lastWord: 3 },
      startMs: 600,
      endMs: 3_600,
    });
  });

  test("an evidence names words, a span, or the whole", () => {
    const evidence = (init: Parameters<typeof create<typeof EvidenceSchema>>[1]) =>
      create(EvidenceSchema, init);
    expect(placeOf(evidence({ firstWordIndex: 1, lastWordIndex: 2 }), words)).toEqual({
      words: { firstWord: 1, lastWord: 2 },
      startMs: 300,
      endMs: 800,
    });
    expect(placeOf(evidence({ startMs: 3_400, endMs: 3_500 }), words)?.words).toEqual({
      firstWord: 3,
      lastWord: 3,
    });
    expect(placeOf(evidence({ figure: "average_pace" }), words)).toBeUndefined();
    // Of a text that was sent along, not of the session's words.
    expect(placeOf(evidence({ firstWordIndex: 90, lastWordIndex: 95 }), words)).toBeUndefined();
  });

  test("the row of a word is found", () => {
    const rows = readTranscript(summary);
    expect([0, 2, 3, 4].map((word) => rowOf(rows, word))).toEqual([0, 0, 1, 1]);
  });
});
