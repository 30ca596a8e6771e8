/**
 * What every speech engine owes its callers, one check a behaviour. Each throws when the engine does not keep it, so that
 * it can be run on a sound engine (conformance.ts) and on broken ones (broken-engines.test.ts).
 */
import { expect } from "vitest";
import {
  EngineError,
  type EngineEvent,
  type SpeechEngine,
} from "../../../src/transcription/engines/speech-engine.ts";
import { wordErrors } from "../../bench/word-error.ts";
import { driveEngine, finalsOf, textOf, type TimedEvent } from "./drive-engine.ts";
import { checkComplete, checkEvents, checkFinalized } from "./engine-checks.ts";

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

export interface EngineBehaviour {
  /** Completes "the engine …". */
  readonly behaviour: string;
  /** Why it cannot be checked on this engine; undefined when it can. */
  readonly cannotCheck?: (made: EngineUnderTest) => string | undefined;
  readonly check: (made: EngineUnderTest) => Promise<void>;
}

export const engineBehaviours: readonly EngineBehaviour[] = [
  { behaviour: "recognises speech, with events that hold together", check: recognises },
  { behaviour: "takes chunks of any size, and an odd rest at the end", check: takesAnyChunks },
  { behaviour: "gives no interims when none are wanted", check: givesNoUnwantedInterims },
  { behaviour: "ends a stream that got no audio", check: endsWithoutAudio },
  {
    behaviour: "turns what was written into finals at finalize, before it resolves, and goes on",
    check: finalizes,
  },
  { behaviour: "is silent after an abort", check: isSilentAfterAbort },
  { behaviour: "does not open on a signal that was aborted before", check: refusesAbortedSignal },
  {
    behaviour: "declares how many streams it takes, and refuses one more until one is released",
    check: keepsItsCapacity,
  },
  {
    behaviour: "fails open streams, once and for good, when it breaks, and works again afterwards",
    cannotCheck: ({ breakStreams }) =>
      breakStreams === undefined ? "this engine cannot be broken from outside" : undefined,
    check: failsOnceAndForGood,
  },
];

async function recognises({ engine, speech }: EngineUnderTest): Promise<void> {
  const events = await driveEngine(engine, speech.samples, { interimResults: true, chunkSamples: 320 });
  checkStream(events, speech.samples.length);
  expect(wordErrors(textOf(events), speech.text).rate).toBeLessThanOrEqual(speech.highestErrorRate);
}

async function takesAnyChunks({ engine, speech }: EngineUnderTest): Promise<void> {
  for (const chunkSamples of [77, 50_001]) {
    const samples = speech.samples.subarray(0, speech.samples.length - 13);
    const events = await driveEngine(engine, samples, { chunkSamples });
    checkStream(events, samples.length);
    expect(wordErrors(textOf(events), speech.text).rate).toBeLessThanOrEqual(speech.highestErrorRate);
  }
}

async function givesNoUnwantedInterims({ engine, speech }: EngineUnderTest): Promise<void> {
  const events = await driveEngine(engine, speech.samples, { interimResults: false });
  expect(events.filter(({ event }) => event.type === "interim")).toEqual([]);
}

async function endsWithoutAudio({ engine }: EngineUnderTest): Promise<void> {
  const events = await driveEngine(engine, new Float32Array(0));
  expect(finalsOf(events)).toEqual([]);
  checkEvents(
    events.map(({ event }) => event),
    0,
  );
}

async function finalizes({ engine, speech }: EngineUnderTest): Promise<void> {
  const events: EngineEvent[] = [];
  const stream = await engine.open(
    { ...quiet, onEvent: (event) => events.push(event) },
    new AbortController().signal,
  );
  const half = Math.floor(speech.samples.length / 2);
  await writeAll((samples) => stream.write(samples), speech.samples.subarray(0, half));
  await stream.finalize();
  checkFinalized(events, half, engine.sampleRateHz);
  const before = events.filter((event) => event.type === "final").length;
  await writeAll((samples) => stream.write(samples), speech.samples.subarray(half));
  await stream.finalize(); // in the pause at the end, where nothing may be kept back
  checkComplete(events, speech.samples.length);
  await stream.end();
  checkEvents(events, speech.samples.length);
  checkComplete(events, speech.samples.length);
  expect(events.filter((event) => event.type === "final").length).toBeGreaterThanOrEqual(before);
  await expect(stream.write(new Float32Array(160))).rejects.toBeInstanceOf(EngineError);
}

async function isSilentAfterAbort({ engine, speech }: EngineUnderTest): Promise<void> {
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
}

async function refusesAbortedSignal({ engine }: EngineUnderTest): Promise<void> {
  await expect(engine.open(quiet, AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
}

async function keepsItsCapacity({ engine }: EngineUnderTest): Promise<void> {
  const controllers = Array.from(
    { length: engine.capabilities.maxStreams ?? 24 },
    () => new AbortController(),
  );
  const spare = new AbortController();
  try {
    await Promise.all(controllers.map((controller) => engine.open(quiet, controller.signal)));
    if (engine.capabilities.maxStreams === undefined) return; // no limit: so many are not refused
    await expect(engine.open(quiet, spare.signal)).rejects.toMatchObject({
      code: "capacity",
      retryable: true,
    });
    controllers[0]?.abort();
    await engine.open(quiet, spare.signal);
  } finally {
    for (const controller of [...controllers, spare]) controller.abort();
  }
}

async function failsOnceAndForGood({ engine, speech, breakStreams }: EngineUnderTest): Promise<void> {
  const failed = Promise.withResolvers<EngineError>();
  let calls = 0;
  const stream = await engine.open(
    {
      ...quiet,
      onError: (error) => {
        calls++;
        failed.resolve(error);
      },
    },
    new AbortController().signal,
  );
  await stream.write(speech.samples.slice(0, 16_000));
  const ending = stream.end();
  breakStreams?.();
  await expect(ending).rejects.toMatchObject({ code: "unavailable", retryable: true });
  expect(await failed.promise).toMatchObject({ code: "unavailable", retryable: true });
  await expect(stream.write(new Float32Array(160))).rejects.toMatchObject({ code: "unavailable" });
  expect(textOf(await driveEngine(engine, speech.samples))).not.toBe("");
  expect(calls).toBe(1);
}

const quiet = { language: "en", interimResults: false, onEvent: () => undefined, onError: () => undefined };

function checkStream(events: readonly TimedEvent[], writtenSamples: number): void {
  const told = events.map(({ event }) => event);
  checkEvents(told, writtenSamples);
  checkComplete(told, writtenSamples);
}

async function writeAll(
  write: (samples: Float32Array) => Promise<void>,
  samples: Float32Array,
): Promise<void> {
  for (let from = 0; from < samples.length; from += 1600) await write(samples.slice(from, from + 1600));
}
