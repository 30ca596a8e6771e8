import { describe, expect, it } from "vitest";
import { EngineError, type EngineEvent } from "../../../src/transcription/engines/speech-engine.ts";
import { createScriptedEngine, type ScriptedEvent } from "../../fakes/scripted-engine.ts";
import { describeEngine } from "./conformance.ts";
import { driveEngine } from "./drive-engine.ts";
import { checkComplete, checkEvents } from "./engine-checks.ts";

const word = (text: string, startSample: number, endSample: number) => ({ text, startSample, endSample });

const script: readonly ScriptedEvent[] = [
  { atSample: 2000, event: { type: "speech", state: "started", atSample: 1600 } },
  {
    atSample: 9000,
    event: { type: "interim", startSample: 1000, text: "Good", words: [word("Good", 1600, 8000)] },
  },
  { atSample: 24_000, event: { type: "speech", state: "ended", atSample: 20_000 } },
  {
    atSample: 24_000,
    event: {
      type: "final",
      startSample: 1000,
      endSample: 22_000,
      text: "Good morning.",
      words: [word("Good", 1600, 8000), word("morning.", 8000, 20_000)],
      voiced: [{ startSample: 1600, endSample: 20_000 }],
    },
  },
  { atSample: 24_000, event: { type: "boundary", throughSample: 23_000 } },
];

describeEngine("the scripted engine", () => {
  const engine = createScriptedEngine({ script, maxStreams: 2 });
  return Promise.resolve({
    engine,
    speech: { samples: new Float32Array(48_000), text: "good morning", highestErrorRate: 0 },
    breakStreams: () => engine.failStreams(new EngineError("unavailable", "broken by the test")),
  });
});

describe("the checks reject an engine that", () => {
  const final = script[3]!.event as Extract<EngineEvent, { type: "final" }>;
  const broken: readonly (readonly [string, readonly EngineEvent[]])[] = [
    ["lets a final begin before a boundary that it told", [{ type: "boundary", throughSample: 5000 }, final]],
    [
      "moves the boundary back",
      [
        { type: "boundary", throughSample: 5000 },
        { type: "boundary", throughSample: 4000 },
      ],
    ],
    [
      "gives overlapping finals",
      [final, { ...final, startSample: 20_000, words: [word("Good morning.", 21_000, 21_500)], voiced: [] }],
    ],
    ["gives an empty final", [{ ...final, text: " ", words: [] }]],
    ["gives words that are not the text", [{ ...final, text: "Good evening." }]],
    [
      "gives overlapping words",
      [{ ...final, words: [word("Good", 1600, 9000), word("morning.", 8000, 20_000)] }],
    ],
    [
      "gives words outside the final",
      [{ ...final, words: [word("Good", 1600, 8000), word("morning.", 8000, 30_000)] }],
    ],
    [
      "gives a word without length",
      [{ ...final, words: [word("Good", 1600, 1600), word("morning.", 8000, 20_000)] }],
    ],
    [
      "gives a confidence above 1",
      [{ ...final, words: [{ ...word("Good", 1600, 8000), confidence: 2 }, word("morning.", 8000, 9000)] }],
    ],
    ["claims audio that it was not given", [{ type: "boundary", throughSample: 48_001 }]],
    ["ends speech that did not start", [{ type: "speech", state: "ended", atSample: 100 }]],
    ["goes back to what is final", [final, { type: "interim", startSample: 1000, text: "Good", words: [] }]],
  ];

  it.each(broken)("%s", async (_, events) => {
    const engine = createScriptedEngine({ script: events.map((event) => ({ atSample: 0, event })) });
    const played = await driveEngine(engine, new Float32Array(48_000), { interimResults: true });
    expect(() =>
      checkEvents(
        played.map(({ event }) => event),
        48_000,
      ),
    ).toThrow();
  });

  it("leaves audio unaccounted for at the end", () => {
    expect(() => checkComplete([{ type: "boundary", throughSample: 40_000 }], 48_000)).toThrow(
      /end of the audio/,
    );
    expect(() => checkComplete([{ type: "boundary", throughSample: 48_000 }, final], 48_000)).toThrow(
      /follows/,
    );
  });
});

describe("the scripted engine stumbles as told:", () => {
  it("fails when so much was written, and plays nothing that was due later", async () => {
    const error = new EngineError("unavailable", "gone");
    const engine = createScriptedEngine({ script, failAt: { atSample: 10_000, error } });
    const events: string[] = [];
    const driven = driveEngine(engine, new Float32Array(48_000), {
      interimResults: true,
      onEvent: (event) => events.push(event.type),
    });
    await expect(driven).rejects.toBe(error);
    expect(events).toEqual(["speech", "interim"]);
    expect(engine.openStreams).toBe(0);
  });

  it("refuses to open", async () => {
    const error = new EngineError("unavailable", "not now");
    const engine = createScriptedEngine({ script, failOpen: () => error });
    await expect(driveEngine(engine, new Float32Array(10))).rejects.toBe(error);
  });

  it("holds writers back", async () => {
    const gate = Promise.withResolvers<undefined>();
    const held = Promise.withResolvers<undefined>();
    const beforeWriteSettles = (): Promise<void> => {
      held.resolve(undefined);
      return gate.promise;
    };
    const engine = createScriptedEngine({ script, beforeWriteSettles });
    const driven = driveEngine(engine, new Float32Array(4800));
    await held.promise;
    expect(engine.writtenSamples).toEqual([1600]);
    gate.resolve(undefined);
    await driven;
    expect(engine.writtenSamples).toEqual([4800]);
  });
});
