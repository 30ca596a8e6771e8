/** The offline engine's small parts, each alone and without models. */
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import {
  bytesField,
  readFields,
  varintField,
  writeFields,
} from "../../../src/transcription/engines/offline/model/protobuf-fields.ts";
import { deriveDecoder } from "../../../src/transcription/engines/offline/model/derive-decoder.ts";
import { EngineProcess } from "../../../src/transcription/engines/offline/engine-process.ts";
import { createOfflineEngine } from "../../../src/transcription/engines/offline/offline-engine.ts";
import { ProcessStream } from "../../../src/transcription/engines/offline/process-stream.ts";
import { repeats } from "../../../src/transcription/engines/offline/recognition/decode-speech.ts";
import { SampleWindow } from "../../../src/transcription/engines/offline/recognition/sample-window.ts";
import type { Recognition } from "../../../src/transcription/engines/offline/recognition/recognise-segment.ts";
import {
  tellWords,
  type ToldSpeech,
} from "../../../src/transcription/engines/offline/recognition/told-words.ts";
import { wordsOf } from "../../../src/transcription/engines/offline/recognition/token-text.ts";
import { wordTimes } from "../../../src/transcription/engines/offline/recognition/word-times.ts";
import { quantile, scoreWords, wordErrors } from "../../bench/word-error.ts";

describe("protobuf fields", () => {
  it("are the same after reading and writing", () => {
    const field = fc.oneof(
      fc
        .tuple(fc.integer({ min: 1, max: 1000 }), fc.nat(Number.MAX_SAFE_INTEGER))
        .map(([n, v]) => varintField(n, v)),
      fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.uint8Array()).map(([n, bytes]) => bytesField(n, bytes)),
    );
    fc.assert(
      fc.property(fc.array(field), (fields) => {
        const written = writeFields(fields);
        expect(writeFields(readFields(written))).toEqual(written);
        expect(readFields(written).map(({ number, varint }) => [number, varint])).toEqual(
          fields.map(({ number, varint }) => [number, varint]),
        );
      }),
    );
  });

  it("are not read from what is none", () => {
    expect(() => readFields(Uint8Array.of(0x0a, 5, 1))).toThrow(RangeError);
    expect(() => readFields(Uint8Array.of(0x80))).toThrow(RangeError);
    expect(() => deriveDecoder(Uint8Array.of(0x08, 1))).toThrow();
  });
});

describe("a text that loops", () => {
  it("is told from one that repeats a word for effect", () => {
    expect(repeats([5, 6, 7, 7, 7, 7])).toBe(false);
    expect(repeats([5, ...Array.from({ length: 7 }, () => 9)])).toBe(true);
    expect(repeats([1, 2, 3, 4, 5, 1, 2, 3, 4, 5])).toBe(false);
    expect(repeats([8, ...[1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]])).toBe(true);
  });
});

describe("words", () => {
  const pieces = ["▁Good", "▁mor", "ning", ".", "▁caf", "<0xC3>", "<0xA9>", "▁"];
  it("are runs of tokens that begin with a space, bytes put together", () => {
    expect(wordsOf([0, 1, 2, 3], pieces).map((word) => word.text)).toEqual(["Good", "morning."]);
    expect(wordsOf([4, 5, 6, 7], pieces)).toEqual([{ text: "café", firstToken: 0, endToken: 3 }]);
    expect(wordsOf([], pieces)).toEqual([]);
  });

  it("have times that ascend inside the audio, whatever the attention says", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(),
        (count, frames, seed) => {
          const row = (index: number): Float32Array =>
            Float32Array.from({ length: 2 * frames }, (_, at) => ((seed + index * 31 + at * 17) % 97) / 97);
          const attention = Array.from({ length: count + 1 }, (_, index) => row(index));
          const words = Array.from({ length: count }, (_, at) => ({
            text: "w",
            firstToken: at,
            endToken: at + 1,
          }));
          const decoding = { tokens: [], logProbabilities: [], attention, frames, complete: true };
          const lengthSamples = frames * 384 + 400;
          const voiced = [{ startSample: 300, endSample: Math.floor(lengthSamples / 2) }];
          let end = 0;
          for (const span of wordTimes(decoding, words, { lengthSamples, voiced })) {
            expect(span.startSample).toBeGreaterThanOrEqual(end);
            expect(span.endSample).toBeGreaterThan(span.startSample);
            end = span.endSample;
          }
          expect(end).toBeLessThanOrEqual(lengthSamples);
        },
      ),
    );
  });
});

describe("the words told of a segment that goes on", () => {
  const second = 16_000;
  const recognition = (starts: readonly number[], end: number, tokensEach: number): Recognition => ({
    text: starts.map(() => "w").join(" "),
    words: starts.map((startSample, index) => ({
      text: "w",
      startSample,
      endSample: starts[index + 1] ?? end,
    })),
    tokens: starts.flatMap((_, index) => Array.from({ length: tokensEach }, () => index)),
    firstTokens: starts.map((_, index) => index * tokensEach),
  });

  it("are those that end well before the audio does, but for the last", () => {
    const range = { startSample: 0, endSample: 2 * second };
    const { count, told } = tellWords(
      recognition([0, 0.5 * second, 1.1 * second, 1.8 * second], 2 * second, 2),
      range,
      undefined,
    );
    expect(count).toBe(2);
    expect(told).toMatchObject({ contextStart: 0, tokens: [0, 0, 1, 1], throughSample: 1.1 * second });
    expect(tellWords(recognition([1.5 * second], 2 * second, 2), range, undefined).count).toBe(0);
  });

  it("include the last when it lies before everything that may be kept", () => {
    const { count, told } = tellWords(
      recognition([0, 0.5 * second], second, 2),
      { startSample: 0, endSample: 2 * second },
      undefined,
    );
    expect(count).toBe(2);
    expect(told).toMatchObject({ contextStart: 0, tokens: [0, 0, 1, 1], throughSample: 16_640 });
  });

  it("are heard again for two seconds, from the beginning of a word", () => {
    const starts = Array.from({ length: 12 }, (_, index) => (index * second) / 2);
    const range = { startSample: 0, endSample: 6 * second };
    const { count, told } = tellWords(recognition(starts, 6 * second, 1), range, undefined);
    expect(count).toBe(11);
    expect(told).toMatchObject({
      contextStart: 3.5 * second,
      tokens: [7, 8, 9, 10],
      throughSample: 5.5 * second,
    });
  });

  it("are heard again no longer when finalize comes often", () => {
    let before: ToldSpeech | undefined;
    for (let seconds = 1; seconds <= 15; seconds++) {
      const range = { startSample: 0, endSample: seconds * second };
      const from = before?.throughSample ?? 0;
      const fresh = recognition([from, from + 0.5 * second, range.endSample - 1], range.endSample, 1);
      const told = before?.tokens ?? [];
      before = tellWords(
        {
          ...fresh,
          tokens: [...told, ...fresh.tokens],
          firstTokens: fresh.firstTokens.map((token) => token + told.length),
        },
        range,
        before,
      ).told;
      expect(before.throughSample - before.contextStart).toBeLessThanOrEqual(3 * second);
      expect(before.tokens).toHaveLength(before.starts.length);
    }
  });

  it("leave less than a second, go on from what was told before, and take nothing back", () => {
    const gaps = fc.array(fc.integer({ min: 1, max: second }), { maxLength: 20 });
    fc.assert(
      fc.property(gaps, gaps, fc.nat(2 * second), (first, second_, tailSamples) => {
        let before: ToldSpeech | undefined;
        let endSample = 0;
        for (const parts of [first, second_]) {
          const from = before?.throughSample ?? 0;
          const starts = parts.map((_, index) => parts.slice(0, index).reduce((sum, gap) => sum + gap, from));
          endSample = Math.max(endSample, (starts.at(-1) ?? from) + 1) + tailSamples;
          const { count, told } = tellWords(
            recognition(starts, endSample, 1),
            { startSample: 0, endSample },
            before,
          );
          expect(told.throughSample).toBeGreaterThanOrEqual(from);
          expect(endSample - told.throughSample).toBeLessThan(second);
          expect(told.contextStart).toBeLessThanOrEqual(told.throughSample);
          expect(count).toBeLessThanOrEqual(starts.length);
          before = told;
        }
      }),
    );
  });
});

describe("a sample window", () => {
  it("gives back what it was given, until it is dropped", () => {
    const window = new SampleWindow();
    for (let at = 0; at < 50_000; at += 500) {
      window.append(Float32Array.from({ length: 500 }, (_, index) => at + index));
      window.dropBefore(at - 20_000);
    }
    expect(window.end).toBe(50_000);
    expect([...window.slice(40_000, 40_003)]).toEqual([40_000, 40_001, 40_002]);
    expect(window.slice(49_999, 60_000)).toHaveLength(1);
    expect(window.slice(0, 10)).toHaveLength(0);
  });
});

describe("an engine process that cannot load", () => {
  it("says why, and waits longer each time before it tries again", async () => {
    let now = 0;
    const nowhere = {
      encoder: "/nowhere",
      crossAttentionKeys: "/nowhere",
      decoder: "/nowhere",
      voiceActivity: "/nowhere",
    };
    const process = new EngineProcess({
      models: () => Promise.resolve(nowhere),
      onExit: () => undefined,
      now: () => now,
    });
    await expect(process.start()).rejects.toMatchObject({ code: "internal", retryable: false });
    await expect(process.start()).rejects.toThrow("next try in 1 s");
    now = 501;
    await expect(process.start()).rejects.toMatchObject({ code: "internal" });
    now = 1200;
    await expect(process.start()).rejects.toThrow("keeps failing");
    now = 1502;
    await expect(process.start()).rejects.toMatchObject({ code: "internal" });
    await process.close();
  }, 30_000);
});

describe("a stream of the offline engine that is aborted as it opens", () => {
  it("gives its place back, also when the process has just opened it", async () => {
    const controller = new AbortController();
    const open = vi.spyOn(EngineProcess.prototype, "open").mockImplementation((stream) => {
      // Runs after this promise has resolved, and before whoever waits for it goes on.
      queueMicrotask(() => controller.abort());
      return Promise.resolve(
        new ProcessStream({ id: 1, stream, send: () => undefined, onClosed: () => undefined }),
      );
    });
    try {
      const engine = createOfflineEngine({ modelDir: "/nowhere", processes: 1, maxStreamsPerProcess: 1 });
      const none = () => undefined;
      const options = { language: "en", interimResults: false, onEvent: none, onError: none };
      await expect(engine.open(options, controller.signal)).rejects.toMatchObject({ name: "AbortError" });
      await engine.open(options, new AbortController().signal); // there is room
      expect(open).toHaveBeenCalledTimes(2);
    } finally {
      open.mockRestore();
    }
  });
});

describe("word errors", () => {
  it("do not count case, punctuation, hyphens and Mr.", () => {
    expect(wordErrors("Mr. Dashwood, cold-hearted!", "mister dashwood cold hearted").rate).toBe(0);
  });

  it("count what is wrong, added and lost", () => {
    const errors = wordErrors("the quick red fox jumps up", "the quick brown fox jumps over it");
    expect(errors).toMatchObject({ referenceWords: 7, substitutions: 2, insertions: 0, deletions: 1 });
    expect(wordErrors("a b c", "a c")).toMatchObject({ insertions: 1, rate: 0.5 });
    expect(wordErrors("", "a b").rate).toBe(1);
  });

  it("measure starts of the words that are right", () => {
    const reference = [
      { text: "cold", startMs: 100 },
      { text: "hearted", startMs: 400 },
      { text: "man", startMs: 900 },
    ];
    const heard = [
      { text: "Cold-hearted", startMs: 130 },
      { text: "men", startMs: 0 },
    ];
    expect(scoreWords(heard, reference)).toMatchObject({ substitutions: 1, startErrorsMs: [30] });
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(quantile([], 0.5)).toBeNaN();
  });
});
