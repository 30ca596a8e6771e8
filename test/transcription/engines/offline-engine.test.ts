import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { fetchModels } from "../../../src/transcription/engines/offline/model/fetch-models.ts";
import {
  createOfflineEngine,
  type OfflineEngine,
} from "../../../src/transcription/engines/offline/offline-engine.ts";
import { quantile, readReferenceWords, scoreWords, wordErrors } from "../../bench/word-error.ts";
import { describeEngine } from "./conformance.ts";
import { driveEngine, finalsOf, joined, readWav, textOf } from "./drive-engine.ts";
import { checkComplete, checkEvents, checkFinalized } from "./engine-checks.ts";
import { testModelDir } from "./test-model-dir.ts";

const audioDir = join(import.meta.dirname, "../../audio");
const clipNames = ["0870", "0880", "0890", "0920", "0930"].map((number) => `austen-${number}`);
const modelDir = testModelDir();
const missing = await fetchModels({ modelDir }).then(
  () => undefined,
  (error: unknown) => (error instanceof Error ? error.message : "unknown"),
);
const silence = (ms: number) => new Float32Array(ms * 16);
const clip = (name: string) => readWav(join(audioDir, `${name}.wav`));
const words = (name: string) => readReferenceWords(join(audioDir, `${name}.words.tsv`));

if (missing !== undefined) {
  describe("the offline engine", () => {
    it.skip(`is not tested, since its models cannot be had: ${missing}`, () => undefined);
  });
}

describe.skipIf(missing !== undefined)("with models", () => {
  describeEngine("the offline engine", async () => {
    const engine = createOfflineEngine({ modelDir, processes: 1, maxStreamsPerProcess: 3 });
    await engine.warmUp();
    return {
      engine,
      speech: {
        samples: joined([clip("austen-0930"), silence(1500)]),
        text: "he might even have been made amiable himself",
        highestErrorRate: 0.15,
      },
      breakStreams: () => {
        for (const pid of engine.processIds()) process.kill(pid, "SIGKILL");
      },
    };
  });

  describe("the offline engine", { timeout: 120_000 }, () => {
    let engine: OfflineEngine;
    const exits: number[] = [];
    beforeAll(() => {
      engine = createOfflineEngine({
        modelDir,
        processes: 1,
        onProcessExit: (exit) => exits.push(exit.streams),
      });
    });
    afterAll(() => engine.close());

    it("says what it is doing: not loaded, loading, loaded", async () => {
      expect(engine.health().ready).toBe(false);
      expect(engine.health().detail).toContain("not loaded");
      const warm = engine.warmUp();
      expect(engine.health()).toEqual({ ready: false, detail: "loading" });
      await warm;
      expect(engine.health()).toMatchObject({ ready: true });
    });

    it("recognises the recordings within 8 % and starts words within 120 ms, as a rule", async () => {
      const startErrors: number[] = [];
      let errors = 0;
      let said = 0;
      for (const name of clipNames) {
        const events = await driveEngine(engine, clip(name));
        const heard = finalsOf(events).flatMap((final) =>
          final.words.map((word) => ({ text: word.text, startMs: word.startSample / 16 })),
        );
        const score = scoreWords(heard, words(name));
        errors += score.substitutions + score.insertions + score.deletions;
        said += score.referenceWords;
        startErrors.push(...score.startErrorsMs.map(Math.abs));
      }
      expect(errors / said).toBeLessThanOrEqual(0.08);
      expect(quantile(startErrors, 0.5)).toBeLessThanOrEqual(120);
      expect(quantile(startErrors, 0.95)).toBeLessThanOrEqual(350);
    });

    it("cuts long speech without a pause, losing and doubling nothing", async () => {
      const samples = joined([...clipNames, ...clipNames, ...clipNames].map(clip));
      const reference = [...clipNames, ...clipNames, ...clipNames].flatMap(words).map((word) => word.text);
      const events = await driveEngine(engine, samples, { chunkSamples: 16_000 });
      checkEvents(
        events.map(({ event }) => event),
        samples.length,
      );
      checkComplete(
        events.map(({ event }) => event),
        samples.length,
      );
      for (const final of finalsOf(events))
        expect((final.endSample - final.startSample) / 16_000).toBeLessThan(20);
      expect(wordErrors(textOf(events), reference.join(" ")).rate).toBeLessThanOrEqual(0.08);
    });

    it.each([160, 1000])(
      "loses no word however often it is told to finalize: every %i ms, in the middle of words",
      async (everyMs) => {
        for (const name of clipNames) {
          const samples = clip(name);
          const reference = words(name).map((word) => word.text);
          const every = everyMs * 16;
          const finalizeAt = Array.from(
            { length: Math.floor(samples.length / every) },
            (_, index) => (index + 1) * every,
          );
          const events = await driveEngine(engine, samples, {
            interimResults: true,
            chunkSamples: Math.min(every, 1600),
            finalizeAt,
            onFinalized: (soFar, written) => checkFinalized(soFar, written, 16_000),
          });
          const all = events.map(({ event }) => event);
          checkEvents(all, samples.length);
          checkComplete(all, samples.length);
          const errors = wordErrors(textOf(events), reference.join(" "));
          expect(errors.deletions).toBeLessThanOrEqual(1);
          expect(errors.insertions).toBeLessThanOrEqual(2);
        }
      },
    );

    it("keeps a word that begins just before finalize, wherever the finalize falls", async () => {
      const samples = clip("austen-0930");
      const reference = words("austen-0930");
      const text = reference.map((word) => word.text).join(" ");
      for (const afterMs of [20, 80, 150]) {
        for (const { startMs } of reference) {
          const events = await driveEngine(engine, samples, {
            chunkSamples: 160,
            finalizeAt: [(startMs + afterMs) * 16],
          });
          expect(wordErrors(textOf(events), text)).toMatchObject({ deletions: 0, insertions: 0 });
        }
      }
    });

    it("keeps nothing back at finalize when nobody speaks", async () => {
      const samples = joined([silence(500), clip("austen-0930"), silence(1000)]);
      const written = Math.floor(samples.length / 160) * 160;
      const boundaries: unknown[] = [];
      await driveEngine(engine, samples, {
        chunkSamples: 160,
        finalizeAt: [6400, written],
        onFinalized: (events) => boundaries.push(events.findLast((event) => event.type === "boundary")),
      });
      expect(boundaries).toEqual(
        [6400, written].map((throughSample) => ({ type: "boundary", throughSample })),
      );
    });

    it("recognises quiet speech, and speech in moderate noise", async () => {
      const samples = joined([silence(500), ...clipNames.map(clip), silence(500)]);
      const reference = clipNames
        .flatMap(words)
        .map((word) => word.text)
        .join(" ");
      const random = pseudoRandom();
      const quiet = await driveEngine(
        engine,
        samples.map((sample) => sample * 0.1),
      );
      expect(wordErrors(textOf(quiet), reference).rate).toBeLessThanOrEqual(0.08);
      const noisy = await driveEngine(
        engine,
        samples.map((sample) => sample + 0.01 * random()),
      );
      expect(wordErrors(textOf(noisy), reference).rate).toBeLessThanOrEqual(0.15);
    });

    it.each(Object.entries(noises()))("hears no words in %s", async (_, noise) => {
      const events = await driveEngine(
        engine,
        Float32Array.from({ length: 160_000 }, (__, at) => noise(at)),
      );
      expect(finalsOf(events)).toEqual([]);
      checkComplete(
        events.map(({ event }) => event),
        160_000,
      );
    });

    it("serves several streams at once, each with its own words", async () => {
      const all = await Promise.all(
        clipNames.map((name) =>
          driveEngine(engine, joined([clip(name), silence(800)]), { interimResults: true }),
        ),
      );
      all.forEach((events, index) => {
        const reference = words(clipNames[index] ?? "").map((word) => word.text);
        expect(wordErrors(textOf(events), reference.join(" ")).rate).toBeLessThanOrEqual(0.15);
      });
    });

    it("refuses a language that it does not know", async () => {
      const options = {
        language: "de",
        interimResults: false,
        onEvent: () => undefined,
        onError: () => undefined,
      };
      const opening = engine.open(options, new AbortController().signal);
      await expect(opening).rejects.toMatchObject({ code: "unsupported", retryable: false });
    });

    it("says exactly that it is full", async () => {
      const controllers = Array.from({ length: 8 }, () => new AbortController());
      const options = {
        language: "en",
        interimResults: false,
        onEvent: () => undefined,
        onError: () => undefined,
      };
      for (const controller of controllers) await engine.open(options, controller.signal);
      const opening = engine.open(options, new AbortController().signal);
      await expect(opening).rejects.toThrow(/^offline engine is at capacity \(8 streams\)$/);
      for (const controller of controllers) controller.abort();
    });

    it("reports a process that died, and how many streams went with it", async () => {
      const failed = Promise.withResolvers<undefined>();
      const options = { language: "en", interimResults: false, onEvent: () => undefined };
      await engine.open(
        { ...options, onError: () => failed.resolve(undefined) },
        new AbortController().signal,
      );
      for (const pid of engine.processIds()) process.kill(pid, "SIGKILL");
      await failed.promise;
      expect(exits).toEqual([1]);
      expect(engine.health().ready).toBe(false);
      await engine.warmUp();
      expect(engine.health().ready).toBe(true);
    });

    it("ends a process that hangs while it owes something, and leaves one alone that owes nothing", async () => {
      const exits: number[] = [];
      const impatient = createOfflineEngine({
        modelDir,
        watchEveryMs: 100,
        onProcessExit: ({ streams }) => exits.push(streams),
      });
      const failed = Promise.withResolvers<string>();
      const options = { language: "en", interimResults: false, onEvent: () => undefined };
      const stream = await impatient.open(
        { ...options, onError: ({ code }) => failed.resolve(code) },
        new AbortController().signal,
      );
      for (const pid of impatient.processIds()) process.kill(pid, "SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, 1_000)); // ten looks at a process that owes nothing
      expect(exits).toEqual([]);
      stream.finalize().catch(() => undefined);
      expect(await failed.promise).toBe("unavailable");
      await impatient.close();
    });

    it("leaves no process behind when its own process is killed", async () => {
      const parent = fork(join(import.meta.dirname, "parent-gone.ts"));
      const [[pid]] = (await once(parent, "message")) as [[number]];
      expect(isRunning(pid)).toBe(true);
      parent.kill("SIGKILL");
      await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 10_000 });
    });

    it("fails open streams when it is closed, and opens no more", async () => {
      const failed = Promise.withResolvers<string>();
      const options = { language: "en", interimResults: false, onEvent: () => undefined };
      await engine.open(
        { ...options, onError: (error) => failed.resolve(error.code) },
        new AbortController().signal,
      );
      await engine.close();
      expect(await failed.promise).toBe("unavailable");
      const opening = engine.open({ ...options, onError: () => undefined }, new AbortController().signal);
      await expect(opening).rejects.toMatchObject({ code: "unavailable" });
    });
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function noises(): Record<string, (at: number) => number> {
  const random = pseudoRandom();
  const tone = (hertz: number, at: number): number => Math.sin((at * hertz * 2 * Math.PI) / 16_000);
  let brown = 0;
  return {
    "digital silence": () => 0,
    "faint white noise": () => 0.001 * random(),
    "white noise": () => 0.1 * random(),
    "loud white noise": () => 0.9 * random(),
    "deep noise": () => 2 * (brown = 0.98 * brown + 0.02 * random()),
    "mains hum": (at) => 0.2 * (tone(50, at) + 0.3 * tone(150, at)),
    clicks: (at) => (at % 8000 < 3 ? 0.8 : 0),
    knocks: (at) => 0.5 * random() * Math.exp(-(at % 6000) / 200),
    "a melody": (at) =>
      0.2 * tone([262, 330, 392, 523][Math.floor(at / 6000) % 4] ?? 262, at) * Math.exp(-(at % 6000) / 3000),
    "a telephone ringing": (at) => (at % 96_000 < 32_000 ? 0.2 * (tone(440, at) + tone(480, at)) : 0),
  };
}

function pseudoRandom(): () => number {
  let state = 12_345;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 1_073_741_824 - 1;
  };
}
