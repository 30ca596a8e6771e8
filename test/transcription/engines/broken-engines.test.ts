/**
 * The engine contract's checks, held against engines that are each broken in one way: a check that lets a broken engine
 * pass would prove nothing about a sound one. The sound engine that they are made of passes all of them.
 */
import { describe, expect, it } from "vitest";
import {
  EngineError,
  type EngineEvent,
  type EngineStream,
  type EngineStreamOptions,
  type SpeechEngine,
} from "../../../src/transcription/engines/speech-engine.ts";
import {
  createScriptedEngine,
  type ScriptedEngine,
  type ScriptedEvent,
} from "../../fakes/scripted-engine.ts";
import { describeEngine } from "./conformance.ts";
import { engineBehaviours, type EngineUnderTest } from "./engine-behaviours.ts";

type FinalEvent = Extract<EngineEvent, { type: "final" }>;

const word = (text: string, startSample: number, endSample: number) => ({ text, startSample, endSample });
const final = (text: string, startSample: number, endSample: number): FinalEvent => ({
  ...{ type: "final", startSample, endSample, text },
  words: [word(text, startSample, endSample)],
  voiced: [{ startSample, endSample }],
});
const script: readonly ScriptedEvent[] = [
  { atSample: 2_000, event: { type: "speech", state: "started", atSample: 1_600 } },
  {
    atSample: 9_000,
    event: { type: "interim", startSample: 1_600, text: "Go", words: [word("Go", 1_600, 8_000)] },
  },
  { atSample: 14_000, event: final("Good", 1_600, 12_000) },
  { atSample: 14_000, event: { type: "boundary", throughSample: 13_000 } },
  { atSample: 24_000, event: { type: "speech", state: "ended", atSample: 20_000 } },
  { atSample: 24_000, event: final("morning.", 13_000, 20_000) },
  { atSample: 24_000, event: { type: "boundary", throughSample: 23_000 } },
];
const speech = { samples: new Float32Array(48_000), text: "good morning", highestErrorRate: 0 };

/** How a stream of a broken engine comes about, where that of the sound one would be opened. */
type OpenBroken = (
  sound: ScriptedEngine,
  options: EngineStreamOptions,
  signal: AbortSignal,
) => Promise<EngineStream>;

/** Changes what the engine tells: an event becomes none, one or several. */
const telling =
  (change: (event: EngineEvent, index: number) => readonly EngineEvent[]): OpenBroken =>
  (sound, options, signal) => {
    let index = 0;
    const onEvent = (event: EngineEvent) => {
      for (const told of change(event, index++)) options.onEvent(told);
    };
    return sound.open({ ...options, onEvent }, signal);
  };

/** Changes how the stream behaves towards its writer. */
const streaming =
  (change: (stream: EngineStream) => Partial<EngineStream>): OpenBroken =>
  async (sound, options, signal) => {
    const stream = await sound.open(options, signal);
    return {
      write: (samples) => stream.write(samples),
      finalize: () => stream.finalize(),
      end: () => stream.end(),
      ...change(stream),
    };
  };

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What is broken, the behaviour whose check is to see it, and what the check then says. */
const broken: readonly (readonly [string, RegExp, RegExp, OpenBroken])[] = [
  [
    "tells the boundary before the final that it is of",
    /^recognises/,
    /no final begins before a boundary/,
    telling((event) =>
      event.type === "final" ? [{ type: "boundary", throughSample: event.endSample }, event] : [event],
    ),
  ],
  [
    "gives finals that overlap",
    /^recognises/,
    /finals are in order and do not overlap/,
    telling((event) =>
      event.type === "boundary"
        ? []
        : event.type === "final" && event.startSample > 0
          ? [event, { ...event, startSample: event.endSample - 1, words: [], text: "again" }]
          : [event],
    ),
  ],
  [
    "says a final twice",
    /^recognises/,
    /finals are in order and do not overlap/,
    telling((event) => (event.type === "final" ? [event, event] : [event])),
  ],
  [
    "loses a word",
    /^recognises/,
    /expected 0.5 to be less than or equal to 0/,
    telling((event, index) => (index === 2 ? [] : [event])),
  ],
  [
    "leaves the end of the audio unaccounted for",
    /^takes chunks/,
    /at the end the boundary is the end of the audio/,
    telling((event) => (event.type === "boundary" && event.throughSample > 23_000 ? [] : [event])),
  ],
  [
    "accounts for audio that it was not given",
    /^recognises/,
    /a boundary lies within the audio/,
    telling((event) =>
      event.type === "boundary" && event.throughSample > 20_000
        ? [{ ...event, throughSample: event.throughSample + 25_001 }]
        : [event],
    ),
  ],
  [
    "gives interims when none are wanted",
    /^gives no interims/,
    /to deeply equal \[\]/,
    (sound, options, signal) => sound.open({ ...options, interimResults: true }, signal),
  ],
  [
    "makes up words in silence",
    /^ends a stream that got no audio/,
    /to deeply equal \[\]/,
    async (sound, options, signal) => {
      options.onEvent(final("Hm.", 0, 100));
      return sound.open(options, signal);
    },
  ],
  [
    "says that it has finalized before it has",
    /^turns what was written into finals/,
    /at the end the boundary is the end of the audio/,
    streaming((stream) => ({
      finalize: () => {
        void nextTurn().then(() => stream.finalize());
        return Promise.resolve();
      },
    })),
  ],
  [
    "is of no use after finalize",
    /^turns what was written into finals/,
    /the stream has ended/,
    streaming((stream) => ({ finalize: () => stream.end() })),
  ],
  [
    "takes audio after its end",
    /^turns what was written into finals/,
    /instead of rejecting/,
    streaming((stream) => ({ write: (samples) => stream.write(samples).catch(() => undefined) })),
  ],
  [
    "goes on talking after an abort",
    /^is silent after an abort/,
    /expected 1 to be/,
    (sound, options, signal) => {
      const talk = () => options.onEvent({ type: "speech", state: "started", atSample: 0 });
      signal.addEventListener("abort", () => setImmediate(talk));
      return sound.open(options, signal);
    },
  ],
  [
    "calls an abort an error",
    /^is silent after an abort/,
    /expected 1 to be/,
    (sound, options, signal) => {
      signal.addEventListener("abort", () => options.onError(new EngineError("unavailable", "aborted")));
      return sound.open(options, signal);
    },
  ],
  [
    "takes audio after an abort",
    /^is silent after an abort/,
    /instead of rejecting/,
    streaming((stream) => ({ write: (samples) => stream.write(samples).catch(() => undefined) })),
  ],
  [
    "opens on a signal that was aborted",
    /^does not open on a signal/,
    /instead of rejecting/,
    (sound, options) => sound.open(options, new AbortController().signal),
  ],
  [
    "has less room than it says",
    /^declares how many streams/,
    /full/,
    async (sound, options, signal) => {
      if (sound.openStreams > 0) throw new EngineError("capacity", "full");
      return sound.open(options, signal);
    },
  ],
  [
    "does not give back the room of a stream that was aborted",
    /^declares how many streams/,
    /at capacity/,
    (sound, options) => sound.open(options, new AbortController().signal),
  ],
  [
    "says twice that it failed",
    /^fails open streams/,
    /expected 2 to be 1/,
    (sound, options, signal) =>
      sound.open(
        {
          ...options,
          onError: (error) => {
            options.onError(error);
            options.onError(error);
          },
        },
        signal,
      ),
  ],
  [
    "does not say that it failed",
    /^fails open streams/,
    /instead of rejecting/,
    streaming((stream) => ({ end: () => stream.end().catch(() => undefined) })),
  ],
  [
    "takes audio after a failure",
    /^fails open streams/,
    /instead of rejecting/,
    streaming((stream) => ({ write: (samples) => stream.write(samples).catch(() => undefined) })),
  ],
];

/** A sound engine where nothing is broken. It takes so long to finalize that being asked to end can be overtaken. */
function make(openBroken?: OpenBroken): EngineUnderTest {
  const sound = createScriptedEngine({ script, maxStreams: 2, beforeFinalize: nextTurn });
  const engine: SpeechEngine = {
    name: "scripted",
    sampleRateHz: sound.sampleRateHz,
    capabilities: sound.capabilities,
    open: (options, signal) => openBroken?.(sound, options, signal) ?? sound.open(options, signal),
    health: () => sound.health(),
    close: () => sound.close(),
  };
  const breakStreams = () => sound.failStreams(new EngineError("unavailable", "broken by the test"));
  return { engine, speech, breakStreams };
}

describeEngine("the engine that the broken ones are made of", () => Promise.resolve(make()));

describe("the contract's checks do not let an engine pass that", () => {
  it.each(broken)("%s", async (_, behaviour, complaint, openBroken) => {
    const check = engineBehaviours.find((candidate) => behaviour.test(candidate.behaviour))!;
    await expect(check.check(make(openBroken))).rejects.toThrow(complaint);
    await check.check(make());
  });

  it("misses one of the behaviours", () => {
    const seen = engineBehaviours.filter(({ behaviour }) => broken.some(([, by]) => by.test(behaviour)));
    expect(seen).toEqual(engineBehaviours);
  });
});
