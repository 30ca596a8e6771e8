/** What a session looks like while it runs, and how its figures are laid out. */
import { create } from "@bufbuild/protobuf";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import {
  DeliveryUpdateSchema,
  SessionStartedSchema,
  TranscriptSchema,
  WarningSchema,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { TranscribeResponse } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { openCaptionScreen, warningScreen } from "../../src/cli/screen/caption-screen.ts";
import { tailOf, wrapLines, wrapText } from "../../src/cli/screen/fit-text.ts";
import { formatTime } from "../../src/cli/screen/format-time.ts";
import { progressBar } from "../../src/cli/screen/progress-bar.ts";
import { printable } from "../../src/cli/screen/printable.ts";

type Event = TranscribeResponse["event"];

function output(columns?: number) {
  const stream = Object.assign(new PassThrough(), { isTTY: columns !== undefined, columns, rows: 24 });
  const written: string[] = [];
  stream.on("data", (bytes: Buffer) => written.push(bytes.toString()));
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => written.join("") };
}

/** Without escape sequences, which take no room. */
const linesOf = (text: string) => text.replace(/\u001b\[[?\d;]*[A-Za-z]/g, "").split(/[\n\r]/);

const transcript = (text: string, isFinal: boolean, segmentIndex = 0): Event => ({
  case: "transcript",
  value: create(TranscriptSchema, { text, isFinal, segmentIndex, startMs: 1000, endMs: 4000 }),
});
const long =
  "He was not an ill-disposed young man, unless to be rather cold hearted and rather selfish is to be so";
const events: readonly Event[] = [
  { case: "sessionStarted", value: create(SessionStartedSchema, { sessionId: "s-1" }) },
  transcript("He was", false),
  transcript(long, false),
  {
    case: "deliveryUpdate",
    value: create(DeliveryUpdateSchema, { averagePace: 151.4, fillerCount: 1, pauseCount: 2 }),
  },
  transcript(`${long}.`, true),
  { case: "warning", value: create(WarningSchema, { message: "captions may be late" }) },
];

describe("captions while a session runs", () => {
  test("elsewhere than on a terminal: one line for the session and for each final, no control characters", () => {
    const { stream, text } = output();
    const screen = openCaptionScreen({ output: stream, durationMs: 8000 });
    events.forEach((event) => screen.show(event));
    screen.close();
    expect(text()).toBe(`session s-1\n  0:01.0  ${long}.\nwarning: captions may be late\n`);
  });

  test.each([80, 40, 25])("on %i columns no line is wider than the terminal", (columns) => {
    const { stream, text } = output(columns);
    const screen = openCaptionScreen({ output: stream, durationMs: 8000 });
    events.forEach((event) => screen.show(event));
    screen.close();
    const lines = linesOf(text());
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
  });

  test("a terminal keeps the whole final, word by word", () => {
    const { stream, text } = output(40);
    const screen = openCaptionScreen({ output: stream, durationMs: 8000 });
    screen.show(transcript(`${long}.`, true));
    screen.close();
    expect(text()).toContain(wrapText(`  0:01.0  ${long}.`, 40, " ".repeat(10)));
    expect(text()).toContain(" 0:04.0 / 0:08.0");
  });

  test("of what is being said the end is shown, on one line", () => {
    const { stream, text } = output(40);
    openCaptionScreen({ output: stream, durationMs: 8000 }).show(transcript("o".repeat(200), false));
    expect(linesOf(text())).toContain(`  …${"o".repeat(35)} …`);
  });

  test("a terminal shows the figures where they have room", () => {
    const wide = output(80);
    const narrow = output(40);
    for (const { stream } of [wide, narrow]) {
      const screen = openCaptionScreen({ output: stream, durationMs: 8000 });
      events.forEach((event) => screen.show(event));
    }
    expect(wide.text()).toContain("0:04.0 / 0:08.0  151 wpm, 1 filler, 2 pauses");
    expect(linesOf(narrow.text()).at(-2)).toBe(`${progressBar(0.5, 23)} 0:04.0 / 0:08.0`);
  });

  test("a terminal that does not know its size is not redrawn", () => {
    const { stream, text } = output(0);
    const screen = openCaptionScreen({ output: stream, durationMs: 8000 });
    screen.show(transcript(`${long}.`, true));
    screen.close();
    expect(text()).toBe(`  0:01.0  ${long}.\n`);
  });

  test("beside JSON only warnings are shown", () => {
    const { stream, text } = output();
    const screen = warningScreen(stream);
    events.forEach((event) => screen.show(event));
    expect(text()).toBe("warning: captions may be late\n");
  });

  test("what others have written cannot steer the terminal", () => {
    expect(printable("a\u001b[2Jb\nc\u009bd")).toBe("a?[2Jb?c?d");
  });
});

describe("text on lines of a given width", () => {
  test("is broken between words and indented below", () => {
    expect(wrapText("  one two three four", 10, "   ")).toBe("  one two\n   three\n   four");
  });
  test("leaves a word whole that is longer than a line", () => {
    expect(wrapText("a incomprehensibilities b", 8)).toBe("a\nincomprehensibilities\nb");
  });
  test("goes on below the text of a table or of a numbered list", () => {
    const table = "  pace        54  You speak fast\n  1. Slow down a little";
    expect(wrapLines(table, 24)).toBe(
      "  pace        54  You\n                  speak\n                  fast\n  1. Slow down a little",
    );
    expect(wrapLines("  1. Slow down a little", 15)).toBe("  1. Slow down\n     a little");
  });
  test("is left as it is where there is no terminal", () => {
    expect(wrapLines("  one   two", undefined)).toBe("  one   two");
  });
  test("keeps the end of a long line, from a word on", () => {
    expect(tailOf("one two three", 13)).toBe("one two three");
    expect(tailOf("one two three", 10)).toBe("…two three");
    expect(tailOf("one two three", 9)).toBe("…three");
    expect(tailOf("incomprehensibilities", 5)).toBe("…ties");
  });
});

test.each([
  [0, "0:00.0"],
  [83_250, "1:23.2"],
  [59_999, "0:59.9"],
  [3_723_400, "1:02:03.4"],
])("%i ms is shown as %s", (ms, text) => {
  expect(formatTime(ms)).toBe(text);
});
