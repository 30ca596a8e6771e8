/**
 * A lane of a session on the Deepgram engine, against the FAKE Deepgram while it stumbles: every marked word arrives once,
 * at its time on the lane's clock, whatever connection it was heard on. Marks stand in for speech.
 */
import { afterEach, describe, expect, it } from "vitest";
import { createResampler } from "../../../src/transcription/audio/resampler.ts";
import { EngineChoice } from "../../../src/transcription/engines/engine-choice.ts";
import { createDeepgramEngine } from "../../../src/transcription/engines/deepgram/deepgram-engine.ts";
import type {
  EngineError,
  EngineEvent,
  EngineWord,
} from "../../../src/transcription/engines/speech-engine.ts";
import { Lane } from "../../../src/transcription/session/lane.ts";
import type { SessionError } from "../../../src/transcription/session-error.ts";
import { startFakeDeepgram, type FakeDeepgram, type FakeStumble } from "../../fakes/fake-deepgram.ts";
import { createManualClock, type ManualClock } from "../../fakes/manual-clock.ts";
import { markedAudio } from "../../fakes/marker-engine.ts";
import { joined } from "./drive-engine.ts";

const rate = 16_000;
const chunkMs = 100;
const said = Array.from({ length: 40 }, (_, index) => index + 1);
/** 20 marks without a pause that ends an utterance, a pause of 1 s, then 20 more. */
const audio = joined(
  [said.slice(0, 20), said.slice(20)].map((marks) =>
    joined([Float32Array.from(markedAudio(marks), (sample) => sample / 32_768), new Float32Array(rate / 2)]),
  ),
);
const expectedWords = said.map((mark, index) => {
  const startSample = 6_400 * index + (index < 20 ? 0 : rate);
  return { text: `w${mark}`, startSample, endSample: startSample + 4_800 };
});

interface LaneBench {
  readonly fake: FakeDeepgram;
  readonly clock: ManualClock;
  readonly lane: Lane;
  readonly events: EngineEvent[];
  readonly restarts: EngineError[];
  readonly failures: SessionError[];
  readonly gaps: (readonly [number, number])[];
}

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function openLane(...stumbles: FakeStumble[]): Promise<LaneBench> {
  const clock = createManualClock();
  const fake = await startFakeDeepgram({ clock });
  fake.stumble(...stumbles);
  const events: EngineEvent[] = [];
  const restarts: EngineError[] = [];
  const failures: SessionError[] = [];
  const gaps: (readonly [number, number])[] = [];
  const engine = createDeepgramEngine({ apiKey: fake.apiKey, url: fake.url, clock });
  const lane = new Lane({
    engines: new EngineChoice([engine], clock),
    resampler: await createResampler(rate, rate),
    languageCode: "en",
    interimResults: true,
    keyterms: [],
    diarize: false,
    clock,
    onChange: () => undefined,
    onGap: (startSample, endSample) => gaps.push([startSample, endSample]),
    onEvent: (event) => events.push(event),
    onRestart: (error) => restarts.push(error),
    onFailure: (error) => failures.push(error),
  });
  closers.push(
    () => lane.abort(),
    () => fake.close(),
  );
  await lane.open();
  return { fake, clock, lane, events, restarts, failures, gaps };
}

/** Writes at the pace of speech on the bench's clock. */
async function speak({ lane, clock }: LaneBench, samples: Float32Array): Promise<void> {
  const chunk = (rate * chunkMs) / 1000;
  for (let from = 0; from < samples.length; from += chunk) {
    await settled(clock, lane.write(samples.slice(from, from + chunk)));
    await clock.advance(chunkMs);
  }
}

async function until(clock: ManualClock, isSo: () => boolean): Promise<void> {
  for (let step = 0; !isSo(); step++) {
    if (step > 2_000) throw new Error("it does not come to pass");
    await clock.advance(chunkMs);
  }
}

async function settled(clock: ManualClock, promise: Promise<void>): Promise<void> {
  let isDone = false;
  const done = promise.finally(() => (isDone = true));
  done.catch(() => undefined);
  await until(clock, () => isDone);
  await done;
}

const wordsOf = (events: readonly EngineEvent[]): EngineWord[] =>
  events.flatMap((event) => (event.type === "final" ? event.words : []));

/** Each word once and where it was said, and all of the audio accounted for, in order. */
function checkWords(events: readonly EngineEvent[]): void {
  const heard = wordsOf(events).map(({ text, startSample, endSample }) => ({
    text: text.replace(".", ""),
    startSample,
    endSample,
  }));
  expect(heard).toEqual(expectedWords);
  let boundary = 0;
  for (const event of events) {
    if (event.type === "final") expect(event.startSample).toBeGreaterThanOrEqual(boundary);
    if (event.type === "boundary") boundary = Math.max(boundary, event.throughSample);
  }
  expect(boundary).toBe(audio.length);
}

/** In the middle of the word that is said then. */
const midWordAt = (index: number) => expectedWords[index]!.startSample + 2_400;

describe("a lane on the Deepgram engine (against a fake Deepgram)", () => {
  it.each<[string, number, readonly FakeStumble[]]>([
    ["nothing goes wrong", 1, []],
    ["the connection is cut in the middle of a word", 2, [{ kind: "drop", afterSamples: midWordAt(4) }]],
    [
      "the connection is cut in the middle of a word, behind a result that is final already",
      2,
      [{ kind: "drop", afterSamples: midWordAt(15) }],
    ],
    [
      "Deepgram closes with 1011 in the middle of a word",
      2,
      [{ kind: "close", afterSamples: midWordAt(16), code: 1011, reason: "NET-0000" }],
    ],
    ["finals come twice", 1, [{ kind: "duplicate-finals" }]],
    ["nothing is called final before it is asked for", 1, [{ kind: "hesitant" }]],
    ["results are late", 1, [{ kind: "slow", delayMs: 1_700 }]],
    [
      "Deepgram is silent after the connection was made again",
      3,
      [{ kind: "drop", afterSamples: midWordAt(3) }, { kind: "silent" }],
    ],
    [
      "it is cut again and again, and refused in between",
      6,
      [
        { kind: "drop", afterSamples: midWordAt(16) },
        { kind: "refuse", status: 503 },
        { kind: "drop", afterSamples: rate * 3 },
        { kind: "close", afterSamples: rate * 2, code: 1012 },
        { kind: "drop", afterSamples: rate * 6.1 },
        { kind: "duplicate-finals" },
      ],
    ],
    [
      "the account has no room for a while",
      3,
      [
        { kind: "drop", afterSamples: midWordAt(2) },
        { kind: "refuse", status: 429 },
      ],
    ],
  ])("delivers each word once and in its place when %s", async (_, connections, stumbles) => {
    const bench = await openLane(...stumbles);
    await speak(bench, audio);
    await settled(bench.clock, bench.lane.end());
    checkWords(bench.events);
    expect([bench.failures, bench.gaps]).toEqual([[], []]);
    expect(bench.fake.handshakes).toBe(connections);
    expect(bench.restarts.length > 0).toBe(connections > 1);
  });

  it("keeps its one connection while nobody sends audio", async () => {
    const bench = await openLane();
    await speak(bench, audio.subarray(0, 100_000));
    await bench.clock.advance(45_000);
    await speak(bench, audio.subarray(100_000));
    await settled(bench.clock, bench.lane.end());
    checkWords(bench.events);
    expect(bench.fake.handshakes).toBe(1);
  });

  it("flushes in between, also when Deepgram does not answer that", async () => {
    for (const kind of ["none", "deaf-to-finalize"] as const) {
      const bench = await openLane({ kind });
      const half = 6_400 * 20 + 12_800;
      await speak(bench, audio.subarray(0, half));
      await settled(bench.clock, bench.lane.finalize());
      expect(wordsOf(bench.events)).toHaveLength(20);
      await speak(bench, audio.subarray(half));
      await settled(bench.clock, bench.lane.end());
      checkWords(bench.events);
      expect(bench.failures).toEqual([]);
    }
  });

  it("fails at once, and for good, when the key is refused", async () => {
    const bench = await openLane({ kind: "drop", afterSamples: rate }, { kind: "refuse", status: 401 });
    await speak(bench, audio.subarray(0, rate * 5));
    expect(bench.failures).toMatchObject([{ code: "engine-unavailable" }]);
    expect(bench.fake.handshakes).toBe(2);
  });
});
