/**
 * Transcript files, read back by strict readers that share no code with the formatters. Never compares with a player.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ExportSegment, ExportWord } from "../../../src/transcription/export/export-transcript.ts";
import { exportTranscript } from "../../../src/transcription/export/export-transcript.ts";
import { timeWords } from "../../../src/transcription/export/time-words.ts";
import { audioWords, RECORDINGS } from "../../delivery/audio-words.ts";
import type { ParsedCue } from "./parse-captions.ts";
import { parseSrt, parseVtt } from "./parse-captions.ts";

const ANSWER =
  "When I joined the team last year, the release process took two days and failed every other week. My task was to " +
  "make it boring. So I wrote a pipeline, tested it with three teams, and rolled it out. Mr. Smith thanked us. Great!";

test("captions break at sentences and clauses, on two lines of 42 at most", () => {
  const cues = parseVtt(exportTranscript("vtt", [segment(ANSWER)]));
  expect(cues.map((cue) => cue.lines)).toEqual([
    ["When I joined the team last year,"],
    ["the release process took two", "days and failed every other week."],
    ["My task was to make it boring."],
    ["So I wrote a pipeline, tested it", "with three teams, and rolled it out."],
    ["Mr. Smith thanked us. Great!"],
  ]);
});

test("a cue begins with its first word and ends with its last, in both formats alike", () => {
  const words = [word("Hello", 1_000, 1_400), word("there.", 1_500, 2_900)];
  const segments = [{ ...segment("Hello there."), words }];
  expect(exportTranscript("vtt", segments)).toBe(
    "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.900\nHello there.\n",
  );
  expect(exportTranscript("srt", segments)).toBe("1\n00:00:01,000 --> 00:00:02,900\nHello there.\n");
  expect(exportTranscript("txt", segments)).toBe("Hello there.\n");
});

test("a second of silence parts two cues", () => {
  const words = [word("well", 0, 900), word("then", 1_000, 1_900), word("yes", 2_900, 3_800)];
  expect(textsOf(parseVtt(exportTranscript("vtt", [{ ...segment("well then yes"), words }])))).toEqual([
    "well then",
    "yes",
  ]);
});

test("slow speech: no cue lasts longer than 7 s, not even one long word", () => {
  const words = [word("so", 0, 4_000), word("slow", 4_000, 8_000), word("speech", 8_000, 20_000)];
  const cues = parseVtt(exportTranscript("vtt", [{ ...segment("so slow speech"), words }]));
  expect(textsOf(cues)).toEqual(["so", "slow", "speech"]);
  for (const cue of cues) {
    expect(cue.endMs - cue.startMs).toBeLessThanOrEqual(7_000);
  }
});

test("without punctuation cues break where there is a silence", () => {
  const text =
    "we took the long way round because the bridge was closed and nobody had told us about it until then";
  const words = segment(text).words.map((entry, index) => {
    const byMs = index < 8 ? 0 : 400;
    return word(entry.text, entry.startMs + byMs, entry.endMs + byMs);
  });
  const cues = parseVtt(exportTranscript("vtt", [{ ...segment(text), words }]));
  expect(textsOf(cues)[0]).toBe("we took the long way round because the");
});

test("a short cue lingers to a second, but not into the next one", () => {
  const alone = parseVtt(exportTranscript("vtt", [{ ...segment("Yes."), words: [word("Yes.", 500, 700)] }]));
  expect(alone).toMatchObject([{ startMs: 500, endMs: 1_500 }]);
  const segments = [500, 1_200].map((startMs) => ({
    ...segment("Yes."),
    startMs,
    words: [word("Yes.", startMs, startMs + 200)],
  }));
  expect(parseVtt(exportTranscript("vtt", segments))).toMatchObject([{ endMs: 1_200 }, { startMs: 1_200 }]);
});

test("words without length at the same time are cues one after the other", () => {
  const segments = [0, 1].map((channel) => ({
    ...segment("Yes.", channel),
    words: [word("Yes.", 500, 500)],
  }));
  expect(parseVtt(exportTranscript("vtt", segments))).toMatchObject([
    { startMs: 500, endMs: 700 },
    { startMs: 700, endMs: 1_700 },
  ]);
});

test("words that come out of order or end before they start are put right", () => {
  const words = [word("two", 600, 500), word("one", 0, 400)];
  expect(timeWords({ ...segment("one two"), words })).toEqual([word("one", 0, 400), word("two", 600, 600)]);
});

test("a session without words is a valid empty file", () => {
  for (const segments of [[], [segment("")], [{ ...segment("  "), words: [word(" ", 0, 10)] }]]) {
    expect(exportTranscript("vtt", segments)).toBe("WEBVTT\n");
    expect(exportTranscript("srt", segments)).toBe("");
    expect(exportTranscript("txt", segments)).toBe("");
  }
});

test("words that look like markup come through WebVTT unchanged", () => {
  const text = "R&D said <b>1 < 2</b> --> &amp; & </v> <00:01.000>";
  expect(textsOf(parseVtt(exportTranscript("vtt", [segment(text)]))).join(" ")).toBe(text);
});

test("SubRip, which has no escapes, gets look-alikes for what players take as markup", () => {
  const cues = parseSrt(exportTranscript("srt", [segment("R&D said <b>1 < 2</b> --> done")]));
  expect(textsOf(cues)).toEqual(["R&D said ‹b>1 < 2‹/b> --› done"]);
});

test("line breaks and runs of white space within words cannot break a cue", () => {
  const words = [word("one\n\n2\n00:00:00.000 --> 00:00:09.000\ntwo", 0, 500), word("\u2028three", 600, 900)];
  const segments = [{ ...segment("one\n\ntwo"), words }];
  expect(parseVtt(exportTranscript("vtt", segments)).length).toBeGreaterThan(0);
  expect(parseSrt(exportTranscript("srt", segments)).length).toBeGreaterThan(0);
  expect(exportTranscript("txt", segments)).toBe("one two\n");
});

test.each([3_600_000, 25 * 3_600_000 + 61_001, 100 * 3_600_000])("times of %i ms and more", (fromMs) => {
  const segments = [segment("It works.", 0, fromMs)];
  expect(parseVtt(exportTranscript("vtt", segments))[0]?.startMs).toBe(fromMs);
  expect(parseSrt(exportTranscript("srt", segments))[0]?.startMs).toBe(fromMs);
});

test("a segment without word times shares its time by length", () => {
  const cues = parseVtt(
    exportTranscript("vtt", [{ ...segment(ANSWER), words: [], startMs: 10_000, endMs: 30_000 }]),
  );
  expect(textsOf(cues).join(" ")).toBe(ANSWER);
  expect(cues[0]?.startMs).toBe(10_000);
  expect(cues.at(-1)?.endMs).toBe(30_000);
});

describe("several channels", () => {
  const segments = [
    segment("How are you?", 1, 3_000),
    segment("Hello there.", 0, 0),
    segment("Fine, thanks.", 0, 6_000),
  ];

  test("are named in order of time", () => {
    const cues = parseVtt(exportTranscript("vtt", segments));
    expect(cues.map((cue) => cue.voice)).toEqual(["Speaker 1", "Speaker 2", "Speaker 1"]);
    expect(textsOf(parseSrt(exportTranscript("srt", segments)))[1]).toBe("Speaker 2: How are you?");
    expect(exportTranscript("txt", segments)).toBe(
      "Speaker 1: Hello there.\nSpeaker 2: How are you?\nSpeaker 1: Fine, thanks.\n",
    );
  });

  test("are not named when only one speaks", () => {
    expect(parseVtt(exportTranscript("vtt", [segment("Hello.", 3)]))[0]?.voice).toBeUndefined();
    expect(exportTranscript("txt", [segment("Hello.", 3)])).toBe("Hello.\n");
  });

  test("that speak at once are shown one after the other, each long enough to be read", () => {
    const cues = parseVtt(exportTranscript("vtt", [segment(ANSWER, 0), segment(ANSWER, 1)]));
    expectReadable(cues);
    for (const cue of cues) expect(cue.endMs - cue.startMs).toBeGreaterThanOrEqual(700);
    expectReadable(
      parseSrt(exportTranscript("srt", [segment(ANSWER.replaceAll(/[.,]/g, ""), 0), segment(ANSWER, 1)])),
    );
  });
});

test("real words of test/audio, one recording after the other, keep every word in order", () => {
  const segments = RECORDINGS.map((recording, index) => {
    const words = audioWords(recording).map((entry) =>
      word(entry.text, entry.startMs + index * 8_000, entry.endMs + index * 8_000),
    );
    return {
      ...segment(words.map((entry) => entry.text).join(" ")),
      startMs: index * 8_000,
      endMs: words.at(-1)!.endMs,
      words,
    };
  });
  const spoken = segments.map((entry) => entry.text).join(" ");
  for (const cues of [
    parseVtt(exportTranscript("vtt", segments)),
    parseSrt(exportTranscript("srt", segments)),
  ]) {
    expectReadable(cues);
    expect(textsOf(cues).join(" ")).toBe(spoken);
  }
});

const wild = fc.array(
  fc.record({
    channel: fc.integer({ min: 0, max: 2 }),
    startMs: fc.integer({ min: 0, max: 90_000 }),
    words: fc.array(
      fc.record({
        text: fc.oneof(
          fc.constantFrom(
            "well,",
            "I",
            "did.",
            "extraordinarily",
            "<b>",
            "-->",
            "a&b",
            "1",
            "NOTE",
            "WEBVTT",
            "?",
          ),
          fc.string({ minLength: 1, maxLength: 12 }),
        ),
        gapMs: fc.integer({ min: -200, max: 2_500 }),
        lengthMs: fc.integer({ min: -10, max: 1_500 }),
      }),
      { maxLength: 40 },
    ),
  }),
  { maxLength: 6 },
);

test("whatever was said, files are well formed, cues are readable and no word is lost", () => {
  fc.assert(
    fc.property(wild, (parts) => {
      const segments = parts.map(({ channel, startMs, words: spoken }): ExportSegment => {
        let atMs = startMs;
        const words = spoken.map(({ text, gapMs, lengthMs }) => {
          const wordStartMs = Math.max(startMs, atMs + gapMs);
          atMs = wordStartMs + lengthMs;
          return word(text, wordStartMs, atMs);
        });
        return { startMs, endMs: atMs, channel, words, text: words.map((entry) => entry.text).join(" ") };
      });
      const vtt = parseVtt(exportTranscript("vtt", segments));
      const srt = parseSrt(exportTranscript("srt", segments));
      expectReadable(vtt);
      expectReadable(srt);
      const tokens = (texts: readonly string[]) => texts.join(" ").split(/\s+/).filter(Boolean).sort();
      expect(tokens(textsOf(vtt))).toEqual(tokens(segments.map((entry) => entry.text)));
    }),
  );
});

function expectReadable(cues: readonly ParsedCue[]): void {
  cues.forEach((cue, index) => {
    expect(cue.endMs).toBeGreaterThan(cue.startMs);
    expect(cue.endMs - cue.startMs).toBeLessThanOrEqual(7_000);
    expect(cue.startMs).toBeGreaterThanOrEqual(cues[index - 1]?.endMs ?? 0);
    expect(cue.lines.length).toBeLessThanOrEqual(2);
    for (const line of cue.lines) expect(line.length).toBeLessThanOrEqual(42);
  });
}

function textsOf(cues: readonly ParsedCue[]): string[] {
  return cues.map((cue) => cue.lines.join(" "));
}

function word(text: string, startMs: number, endMs: number): ExportWord {
  return { text, startMs, endMs };
}

/** A segment whose words take 60 ms a letter, 80 ms apart, 400 ms after a sentence. */
function segment(text: string, channel = 0, fromMs = 0): ExportSegment {
  let atMs = fromMs;
  const words = text
    .split(" ")
    .filter((token) => token !== "")
    .map((token) => {
      const startMs = atMs;
      const endMs = startMs + 60 * token.length;
      atMs = endMs + (/[.!?]$/.test(token) ? 400 : 80);
      return word(token, startMs, endMs);
    });
  return { startMs: fromMs, endMs: words.at(-1)?.endMs ?? fromMs, text, channel, words };
}
