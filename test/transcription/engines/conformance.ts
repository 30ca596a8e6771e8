/** The behaviour that every speech engine owes its callers. Run it with `describeEngine` in the engine's test file. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  EngineError,
  type EngineEvent,
  type SpeechEngine,
} from "../../../src/transcription/engines/speech-engine.ts";
import { wordErrors } from "../../bench/word-error.ts";
import { driveEngine, finalsOf, textOf } from "./drive-engine.ts";
import { checkComplete, checkEvents } from "./engine-checks.ts";

export interface EngineUnderTest {
  readonly engine: SpeechEngine;
  /** Audio with speech at its start and a pause of at least a second at its end, and what is said in it. */
  readonly speech: {
    readonly samples: Float32Array;
    readonly text: string;
    readonly highestErrorRate: number;
  };
  /** Makes open streams fail as they would if the engine's process or vendor were gone. Absent: not testable. */
  readonly breakStreams?: () => void;
}

const timeoutMs = 60_000;

export function describeEngine(name: string, makeEngine: () => Promise<EngineUnderTest>): void {
  describe(`${name} keeps the engine contract`, { timeout: timeoutMs }, () => {
    let made: EngineUnderTest;
    beforeAll(async () => (made = await makeEngine()), timeoutMs);
    afterAll(async () => made.engine.close(), timeoutMs);

    it("recognises speech, with events that hold together", async () => {
      const { engine, speech } = made;
      const events = await driveEngine(engine, speech.samples, { interimResults: true, chunkSamples: 320 });
      checkEvents(
        events.map(({ event }) => event),
        speech.samples.length,
      );
      checkComplete(
        events.map(({ event }) => event),
        speech.samples.length,
      );
      expect(wordErrors(textOf(events), speech.text).rate).toBeLessThanOrEqual(speech.highestErrorRate);
    });

    it("takes chunks of any size, and an odd rest at the end", async () => {
      const { engine, speech } = made;
      for (const chunkSamples of [77, 50_001]) {
        const samples = speech.samples.subarray(0, speech.samples.length - 13);
        const events = await driveEngine(engine, samples, { chunkSamples });
        checkEvents(
          events.map(({ event }) => event),
          samples.length,
        );
        checkComplete(
          events.map(({ event }) => event),
          samples.length,
        );
        expect(wordErrors(textOf(events), speech.text).rate).toBeLessThanOrEqual(speech.highestErrorRate);
      }
    });

    it("gives no interims when none are wanted", async () => {
      const { engine, speech } = made;
      const events = await driveEngine(engine, speech.samples, { interimResults: false });
      expect(events.filter(({ event }) => event.type === "interim")).toEqual([]);
    });

    it("ends a stream that got no audio", async () => {
      const events = await driveEngine(made.engine, new Float32Array(0));
      expect(finalsOf(events)).toEqual([]);
      checkEvents(
        events.map(({ event }) => event),
        0,
      );
    });

    it("turns what was written into finals at finalize, before it resolves, and goes on", async () => {
      const { engine, speech } = made;
      const events: EngineEvent[] = [];
      const stream = await engine.open(
        {
          language: "en",
          interimResults: false,
          onEvent: (event) => events.push(event),
          onError: () => undefined,
        },
        new AbortController().signal,
      );
      const half = Math.floor(speech.samples.length / 2);
      await writeAll((samples) => stream.write(samples), speech.samples.subarray(0, half));
      await stream.finalize();
      checkComplete(events, half);
      const before = events.filter((event) => event.type === "final").length;
      await writeAll((samples) => stream.write(samples), speech.samples.subarray(half));
      await stream.end();
      checkEvents(events, speech.samples.length);
      checkComplete(events, speech.samples.length);
      expect(events.filter((event) => event.type === "final").length).toBeGreaterThanOrEqual(before);
      await expect(stream.write(new Float32Array(160))).rejects.toBeInstanceOf(EngineError);
    });

    it("is silent after an abort", async () => {
      const { engine, speech } = made;
      const controller = new AbortController();
      let aborted = false;
      let late = 0;
      const stream = await engine.open(
        {
          language: "en",
          interimResults: true,
          onEvent: () => (late += aborted ? 1 : 0),
          onError: () => (late += 1),
        },
        controller.signal,
      );
      await stream.write(speech.samples.slice(0, engine.sampleRateHz));
      aborted = true;
      controller.abort();
      // A whole stream on the same engine gives anything that was still under way the time to show itself.
      await driveEngine(engine, speech.samples);
      expect(late).toBe(0);
      await expect(stream.write(new Float32Array(160))).rejects.toBeInstanceOf(EngineError);
    });

    it("does not open on a signal that was aborted before", async () => {
      const options = {
        language: "en",
        interimResults: false,
        onEvent: () => undefined,
        onError: () => undefined,
      };
      await expect(made.engine.open(options, AbortSignal.abort())).rejects.toMatchObject({
        name: "AbortError",
      });
    });

    it("declares how many streams it takes, and refuses one more until one is released", async (context) => {
      const { engine } = made;
      const { maxStreams } = engine.capabilities;
      if (maxStreams === undefined) return context.skip("this engine has no limit of its own");
      const controllers = Array.from({ length: maxStreams }, () => new AbortController());
      const options = {
        language: "en",
        interimResults: false,
        onEvent: () => undefined,
        onError: () => undefined,
      };
      await Promise.all(controllers.map((controller) => engine.open(options, controller.signal)));
      const spare = new AbortController();
      await expect(engine.open(options, spare.signal)).rejects.toMatchObject({
        code: "capacity",
        retryable: true,
      });
      controllers[0]?.abort();
      await engine.open(options, spare.signal);
      for (const controller of [...controllers, spare]) controller.abort();
    });

    it("fails open streams, once and for good, when it breaks, and works again afterwards", async (context) => {
      const { engine, speech, breakStreams } = made;
      if (breakStreams === undefined) return context.skip("this engine cannot be broken from outside");
      const failed = Promise.withResolvers<EngineError>();
      let calls = 0;
      const stream = await engine.open(
        {
          language: "en",
          interimResults: false,
          onEvent: () => undefined,
          onError: (error) => {
            calls++;
            failed.resolve(error);
          },
        },
        new AbortController().signal,
      );
      await stream.write(speech.samples.slice(0, 16_000));
      const ending = stream.end();
      breakStreams();
      await expect(ending).rejects.toMatchObject({ code: "unavailable", retryable: true });
      expect(await failed.promise).toMatchObject({ code: "unavailable", retryable: true });
      await expect(stream.write(new Float32Array(160))).rejects.toMatchObject({ code: "unavailable" });
      expect(textOf(await driveEngine(engine, speech.samples))).not.toBe("");
      expect(calls).toBe(1);
    });
  });
}

async function writeAll(
  write: (samples: Float32Array) => Promise<void>,
  samples: Float32Array,
): Promise<void> {
  for (let from = 0; from < samples.length; from += 1600) await write(samples.slice(from, from + 1600));
}
