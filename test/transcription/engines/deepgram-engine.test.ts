/** The Deepgram engine against the FAKE Deepgram of test/fakes: how it keeps the wire, not how well anybody hears. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { inspect, promisify } from "node:util";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { createDeepgramEngine } from "../../../src/transcription/engines/deepgram/deepgram-engine.ts";
import { ResultReader } from "../../../src/transcription/engines/deepgram/result-reader.ts";
import {
  keepsFillers,
  type EngineError,
  type EngineEvent,
  type EngineStream,
  type EngineStreamOptions,
  type SpeechEngine,
} from "../../../src/transcription/engines/speech-engine.ts";
import { fillerMark } from "../../fakes/fake-deepgram-ear.ts";
import { startFakeDeepgram, type FakeDeepgram, type FakeStumble } from "../../fakes/fake-deepgram.ts";
import { createManualClock, type ManualClock } from "../../fakes/manual-clock.ts";
import { markedAudio } from "../../fakes/marker-engine.ts";
import { describeEngine } from "./conformance.ts";
import { driveEngine, finalsOf, joined, textOf } from "./drive-engine.ts";
import { checkComplete, checkEvents } from "./engine-checks.ts";

const marks = [1, 2, 3, 4, 5, 6, 7, 8];
const silence = (ms: number) => new Float32Array(ms * 16);
const marked = (...said: number[]) => Float32Array.from(markedAudio(said), (sample) => sample / 32_768);
const speech = joined([marked(...marks), silence(1_000)]);

describeEngine("the Deepgram engine (against a fake Deepgram)", async () => {
  const fake = await startFakeDeepgram();
  afterAll(() => fake.close());
  return {
    engine: createDeepgramEngine({ apiKey: fake.apiKey, url: fake.url }),
    speech: {
      samples: speech,
      text: marks.map((mark) => `w${mark}`).join(" "),
      highestErrorRate: 0,
    },
    breakStreams: () => fake.dropAll(),
  };
});

interface Bench {
  readonly fake: FakeDeepgram;
  readonly engine: SpeechEngine;
  readonly clock: ManualClock;
  readonly problems: string[];
}

interface OpenedStream {
  readonly stream: EngineStream;
  readonly events: EngineEvent[];
  readonly errors: EngineError[];
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A fake and an engine on one clock that stands still until a test moves it. */
async function setUp(...stumbles: FakeStumble[]): Promise<Bench> {
  const clock = createManualClock();
  const fake = await startFakeDeepgram({ clock });
  const problems: string[] = [];
  const onProblem = (message: string) => problems.push(message);
  const engine = createDeepgramEngine({ apiKey: fake.apiKey, url: fake.url, clock, onProblem });
  closers.push(
    () => engine.close(),
    () => fake.close(),
  );
  fake.stumble(...stumbles);
  return { fake, engine, clock, problems };
}

async function open(
  engine: SpeechEngine,
  options: Partial<EngineStreamOptions> = {},
  signal = new AbortController().signal,
): Promise<OpenedStream> {
  const events: EngineEvent[] = [];
  const errors: EngineError[] = [];
  const stream = await engine.open(
    {
      language: "en",
      interimResults: true,
      onEvent: (event) => events.push(event),
      onError: (error) => errors.push(error),
      ...options,
    },
    signal,
  );
  return { stream, events, errors };
}

/** Moves the clock on until it is so; what travels over the network has its time in between. */
async function until(clock: ManualClock, isSo: () => boolean, stepMs = 100): Promise<void> {
  for (let step = 0; !isSo(); step++) {
    if (step > 2_000) throw new Error("it does not come to pass");
    await clock.advance(stepMs);
  }
}

const hostOf = (fake: FakeDeepgram) => new URL(fake.url).host;

async function settled<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let isDone = false;
  const done = promise.finally(() => (isDone = true));
  done.catch(() => undefined);
  await until(clock, () => isDone);
  return done;
}

describe("what the Deepgram engine asks for", () => {
  it("is the documented query, with privacy on and the key in no URL", async () => {
    const { fake, engine } = await setUp();
    await open(engine, { interimResults: false });
    expect(Object.fromEntries(fake.connections[0]!.query)).toEqual({
      model: "nova-3",
      language: "en",
      encoding: "linear16",
      sample_rate: "16000",
      channels: "1",
      interim_results: "true",
      punctuate: "true",
      filler_words: "true",
      vad_events: "true",
      endpointing: "300",
      utterance_end_ms: "1000",
      mip_opt_out: "true",
    });
  });

  it("has key terms one by one, as many as Deepgram takes, and speakers when they are wanted", async () => {
    const { fake, engine, problems } = await setUp();
    await open(engine, { keyterms: ["Parley", "Ann Lee"], diarize: true });
    const { query } = fake.connections[0]!;
    expect(query.getAll("keyterm")).toEqual(["Parley", "Ann Lee"]);
    expect(query.get("diarize")).toBe("true");
    expect(problems).toEqual([]);

    await open(engine, {
      keyterms: Array.from({ length: 100 }, (_, index) => `term-of-some-length-${index}`),
    });
    const { length } = fake.connections[1]!.query.getAll("keyterm");
    expect(length).toBeGreaterThan(20);
    expect(problems).toEqual([`${100 - length} key terms are more than Deepgram takes, and were left out`]);
  });

  it.each([
    ["en", "en"],
    ["en-us", "en-US"],
    ["en-ZA", "en"],
    ["zh-Hant-TW", "zh-Hant"],
    ["nb-NO", "no"],
    ["mul", "multi"],
    ["multi", "multi"],
  ])("is, for the language %s, %s", async (tag, asked) => {
    const { fake, engine } = await setUp();
    await open(engine, { language: tag });
    expect(fake.connections[0]!.query.get("language")).toBe(asked);
  });

  it("is nothing for a language that Deepgram does not know", async () => {
    const { fake, engine } = await setUp();
    await expect(open(engine, { language: "eo" })).rejects.toMatchObject({
      code: "unsupported",
      retryable: false,
      message: 'Deepgram does not know the language "eo"',
    });
    expect(fake.handshakes).toBe(0);
  });

  it.each([
    (url: string) => url.replace("ws:", "http:"),
    (url: string) => `${url}/`,
    (url: string) => `${url}/v1/listen?x=y`,
    (url: string) => `${url.replace("ws:", "HTTP:")}/v1`,
  ])("goes to DEEPGRAM_URL however it is written (%s)", async (write) => {
    const { fake } = await setUp();
    await open(createDeepgramEngine({ apiKey: fake.apiKey, url: write(fake.url) }));
    expect(fake.connections).toHaveLength(1);
    fake.dropAll();
  });
});

describe("the Deepgram SDK", () => {
  it("is loaded when a stream opens, and not before", async () => {
    const engineModule = join(
      import.meta.dirname,
      "../../../src/transcription/engines/deepgram/deepgram-engine.ts",
    );
    const script = `
      import { registerHooks } from "node:module";
      let loaded = 0;
      registerHooks({
        load(url, context, next) {
          if (/node_modules\\/(@deepgram|ws)\\//.test(url)) loaded += 1;
          return next(url, context);
        },
      });
      const { createDeepgramEngine } = await import(${JSON.stringify(engineModule)});
      const engine = createDeepgramEngine({ apiKey: "k", url: "ws://127.0.0.1:1" });
      const before = loaded;
      const none = () => undefined;
      const options = { language: "en", interimResults: false, onEvent: none, onError: none };
      await engine.open(options, new AbortController().signal).catch(none);
      console.log(before, loaded > 0);`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
    expect(stdout).toBe("0 true\n");
  });
});

describe("what the Deepgram engine understands", () => {
  it("keeps fillers in English, and claims it of no other language", async () => {
    const { engine } = await setUp();
    const events = await driveEngine(engine, joined([marked(1, fillerMark, 2), silence(500)]));
    expect(textOf(events)).toBe("w1 um w2.");
    expect(["en", "en-GB", "de", "mul"].map((tag) => keepsFillers(engine.capabilities, tag))).toEqual([
      ...[true, true, false, false],
    ]);
  });

  it("tells speakers apart when that is wanted, and not otherwise", async () => {
    const { engine } = await setUp();
    for (const [diarize, speakers] of [
      [true, [0, 1]],
      [false, [undefined, undefined]],
    ] as const) {
      const { stream, events } = await open(engine, { diarize });
      await stream.write(joined([marked(7, 700), silence(500)]));
      await stream.end();
      const [final] = events.filter((event) => event.type === "final");
      expect(final?.words.map((word) => word.speaker)).toEqual(speakers);
    }
  });

  it("places words to the sample", async () => {
    const { engine } = await setUp();
    const [final] = finalsOf(await driveEngine(engine, joined([silence(2_000), marked(1, 2), silence(500)])));
    expect(final!.words.map(({ startSample, endSample }) => [startSample, endSample])).toEqual([
      [32_000, 36_800],
      [38_400, 43_200],
    ]);
    expect(final!.voiced).toEqual([{ startSample: 32_000, endSample: 43_200 }]);
  });

  it("is not misled by Deepgram's single precision, hours into a stream", () => {
    const events: EngineEvent[] = [];
    const reader = new ResultReader({
      interimResults: false,
      diarize: false,
      onEvent: (event) => events.push(event),
    });
    const seconds = (samples: number) => Math.fround(samples / 16_000);
    const lengths = [50_003, 1_601, 48_000, 33_333];
    let at = 5 * 3600 * 16_000;
    reader.advance(at);
    for (const length of lengths) {
      const word = { word: "so", start: seconds(at), end: seconds(at + length) };
      const alternatives = [{ transcript: "so", words: [word, { ...word, start: word.end }] }];
      const ends = { start: seconds(at), duration: seconds(length) };
      const flags = { is_final: true, speech_final: true, from_finalize: false };
      reader.take({ type: "Results", ...ends, ...flags, channel: { alternatives } }, at + length);
      at += length;
    }
    checkEvents(events, at);
    checkComplete(events, at);
    expect(events.filter((event) => event.type === "final")).toHaveLength(lengths.length);
  });

  it("begins and ends speech in turn, where it was", async () => {
    const { engine } = await setUp();
    const { stream, events } = await open(engine);
    await stream.write(joined([marked(1, 2), silence(2_000), marked(3), silence(2_000)]));
    await stream.end();
    const told = events.filter((event) => event.type === "speech");
    expect(told.map((event) => [event.state, event.atSample])).toEqual([
      ["started", 0],
      ["ended", 11_200],
      ["started", 52_800],
      ["ended", 57_600],
    ]);
  });

  it("says a final once that Deepgram says twice", async () => {
    const { engine } = await setUp({ kind: "duplicate-finals" });
    const events = await driveEngine(engine, speech, { interimResults: true });
    expect(textOf(events)).toBe("w1 w2 w3 w4 w5 w6 w7 w8.");
    checkEvents(
      events.map(({ event }) => event),
      speech.length,
    );
  });

  it("passes over kinds of message that it does not know", async () => {
    const { engine } = await setUp({ kind: "say", text: '{"type":"Novelty"}' });
    expect(textOf(await driveEngine(engine, speech))).toBe("w1 w2 w3 w4 w5 w6 w7 w8.");
  });

  it.each([
    "not JSON",
    '{"type":"Results","start":"0"}',
    '{"type":"Results","is_final":true,"start":0,"duration":1,"channel":{"alternatives":[{"transcript":"a"}]}}',
  ])("fails the stream on what it cannot read (%s), so that nothing is passed over", async (text) => {
    const { engine, clock } = await setUp({ kind: "say", text });
    const { errors } = await open(engine);
    await until(clock, () => errors.length > 0);
    expect(errors).toMatchObject([{ code: "internal", retryable: true }]);
  });
});

describe("a stream that is waited for", () => {
  it("is kept alive without audio", async () => {
    const { fake, engine, clock } = await setUp();
    const { stream, errors } = await open(engine);
    await clock.advance(60_000);
    expect(fake.connections[0]!.keepAlives).toBeGreaterThanOrEqual(12);
    expect(fake.connections[0]!.samples).toBe(0);
    expect(errors).toEqual([]);
    await stream.write(speech);
    await settled(clock, stream.end());
  });

  it("finalizes at once when there is nothing to flush", async () => {
    const { fake, engine, clock } = await setUp();
    const { stream } = await open(engine);
    await stream.finalize();
    await stream.write(speech);
    await settled(clock, stream.finalize());
    const { finalizes } = fake.connections[0]!;
    await stream.finalize();
    expect(fake.connections[0]!.finalizes).toBe(finalizes);
  });

  it("flushes by closing if Finalize is not answered, claims what Deepgram accounts for, and fails", async () => {
    const { engine, clock } = await setUp({ kind: "deaf-to-finalize" }, { kind: "none" });
    const rest = 400; // samples behind the final at 1 s, too few for the fake to answer Finalize for
    for (const audio of [
      joined([marked(1, 2), marked(3).slice(0, 4_000)]),
      marked(1, 2).slice(0, 16_000 + rest),
    ]) {
      const { stream, events, errors } = await open(engine);
      await stream.write(audio);
      await settled(clock, stream.finalize());
      checkEvents(events, audio.length);
      checkComplete(events, audio.length);
      await until(clock, () => errors.length > 0);
      expect(errors).toMatchObject([{ code: "unavailable", retryable: true }]);
    }
  });

  it("claims nothing when Deepgram takes audio and goes silent, holds the writer back, and fails", async () => {
    const { engine, clock } = await setUp({ kind: "silent" });
    const { stream, events, errors } = await open(engine);
    await clock.advance(30_000);
    await stream.write(silence(9_000));
    await clock.advance(5_000);
    expect(errors).toEqual([]);
    await expect(settled(clock, stream.write(silence(2_000)))).rejects.toMatchObject({
      code: "unavailable",
      retryable: true,
      message: "Deepgram takes audio and gives no result",
    });
    expect(events).toEqual([]);
    expect(errors).toHaveLength(1);
  });

  it("fails when Deepgram stops in mid-stream while it holds the writer back, since it owes too much", async () => {
    const clock = createManualClock();
    // Deepgram's own clock, which stands still when it stops: what it has heard by then, it never says.
    const deepgramClock = createManualClock();
    const fake = await startFakeDeepgram({ clock: deepgramClock });
    const engine = createDeepgramEngine({ apiKey: fake.apiKey, url: fake.url, clock });
    closers.push(
      () => engine.close(),
      () => fake.close(),
    );
    fake.stumble({ kind: "slow", delayMs: 1_000 });
    const { stream, events, errors } = await open(engine);
    const arrives = (ms: number) => until(clock, () => fake.connections[0]?.samples === ms * 16, 0);
    await stream.write(marked(1, 2, 3, 4, 5));
    await arrives(2_500);
    await deepgramClock.advance(500);
    let isHeldBack = true;
    const writing = stream.write(silence(11_000)).finally(() => (isHeldBack = false));
    writing.catch(() => undefined);
    await arrives(13_500);
    await deepgramClock.advance(500);
    await until(clock, () => events.length > 0, 0);

    await clock.advance(11_000);
    expect([isHeldBack, errors]).toEqual([true, []]);
    await clock.advance(2_000);
    expect(errors).toMatchObject([{ code: "unavailable", retryable: true }]);
    await expect(writing).rejects.toBe(errors[0]);
    expect(clock.pending()).toBe(0);
  });

  it("fails when Deepgram does not close it", async () => {
    const { engine, clock } = await setUp({ kind: "silent" });
    const { stream, events } = await open(engine);
    await stream.write(silence(1_000));
    await expect(settled(clock, stream.end())).rejects.toMatchObject({
      code: "unavailable",
      retryable: true,
    });
    expect(events).toEqual([]);
  });

  it("is patient with results that are late", async () => {
    const { engine, clock } = await setUp({ kind: "slow", delayMs: 5_000 });
    const { stream, events } = await open(engine);
    await settled(clock, stream.write(speech));
    await settled(clock, stream.end());
    checkComplete(events, speech.length);
  });

  it("releases the connection when it is aborted, and when it has ended", async () => {
    const { fake, engine, clock } = await setUp();
    const controller = new AbortController();
    await open(engine, {}, controller.signal);
    const { stream } = await open(engine);
    await until(clock, () => fake.openConnections === 2);
    controller.abort();
    await until(clock, () => fake.openConnections === 1);
    await settled(clock, stream.end());
    await until(clock, () => fake.openConnections === 0);
    expect(clock.pending()).toBe(0);
  });
});

describe("a connection that does not come about", () => {
  it.each<[number, Partial<EngineError>]>([
    [400, { code: "unsupported", retryable: false }],
    [401, { code: "unavailable", retryable: false }],
    [402, { code: "unavailable", retryable: false }],
    [403, { code: "unavailable", retryable: false }],
    [404, { code: "unavailable", retryable: false }],
    [301, { code: "unavailable", retryable: false }],
    [429, { code: "capacity", retryable: true }],
    [500, { code: "unavailable", retryable: true }],
    [503, { code: "unavailable", retryable: true }],
  ])("for HTTP %i", async (status, expected) => {
    const { engine } = await setUp({ kind: "refuse", status });
    await expect(open(engine)).rejects.toMatchObject(expected);
    await open(engine); // the engine itself is not spoilt
  });

  it("for a wrong key names the variable to the operator, and the key to nobody", async () => {
    const { fake } = await setUp();
    const engine = createDeepgramEngine({ apiKey: "canary-key", url: fake.url });
    const error = await open(engine).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "unavailable" });
    expect(inspect(error)).not.toContain("canary");
    expect(engine.health()).toEqual({
      ready: false,
      detail: expect.stringContaining("check DEEPGRAM_API_KEY") as string,
    });
    expect(JSON.stringify(engine.health())).not.toContain("canary");
  });

  it("leaves the engine ready where another try may do, and unmarked once one did", async () => {
    const { fake, engine } = await setUp({ kind: "refuse", status: 503 }, { kind: "refuse", status: 401 });
    expect(engine.health()).toEqual({ ready: true, detail: "open streams: 0" });
    await expect(open(engine)).rejects.toMatchObject({ code: "unavailable", retryable: true });
    expect(engine.health()).toMatchObject({ ready: true, detail: expect.stringContaining("503") as string });
    await expect(open(engine)).rejects.toMatchObject({ code: "unavailable", retryable: false });
    expect(engine.health()).toMatchObject({
      ready: false,
      detail: expect.stringContaining("401") as string,
    });
    await open(engine);
    expect(engine.health()).toEqual({ ready: true, detail: "open streams: 1" });
    fake.stumble({ kind: "refuse", status: 400 });
    await expect(open(engine)).rejects.toMatchObject({ code: "unsupported" });
    expect(engine.health()).toEqual({ ready: true, detail: "open streams: 1" });
  });

  it("since nobody is there", async () => {
    const { fake, engine, problems } = await setUp();
    await fake.close();
    await expect(open(engine)).rejects.toMatchObject({
      code: "unavailable",
      retryable: true,
      message: "Deepgram cannot be reached",
    });
    expect(engine.health().detail).toBe("Deepgram cannot be reached (ECONNREFUSED)");
    expect(problems).toEqual([`Deepgram cannot be reached (${hostOf(fake)}: ECONNREFUSED)`]);
  });

  it.each([301, 400, 401, 402, 403, 404, 429, 500])(
    "for HTTP %i tells the operator in the log which server it was, and nobody else",
    async (status) => {
      const { fake, engine, problems } = await setUp({ kind: "refuse", status });
      const error = (await open(engine).catch((error: unknown) => error)) as EngineError;
      expect(error.message).not.toMatch(/127\.0\.0\.1|DEEPGRAM_|HTTP|account|key/);
      expect(engine.health().detail).not.toContain("127.0.0.1"); // anybody can ask for it
      expect(problems).toEqual([
        expect.stringContaining(`${error.message} (${hostOf(fake)}: HTTP ${status}`) as string,
      ]);
      expect(error.cause).toMatchObject({ message: expect.stringContaining(hostOf(fake)) as string });
    },
  );

  it("is told to the operator once, and again after it was mended", async () => {
    const refused: FakeStumble = { kind: "refuse", status: 503 };
    const { engine, problems } = await setUp(refused, refused, { kind: "none" }, refused);
    for (const expected of [1, 1, 1, 2]) {
      await open(engine).catch(() => undefined);
      expect(problems).toHaveLength(expected);
    }
  });

  it("since the handshake is not answered, soon enough for another engine to be opened", async () => {
    const { fake, engine, clock, problems } = await setUp({ kind: "hang" });
    let isDone = false;
    const opening = open(engine).finally(() => (isDone = true));
    opening.catch(() => undefined);
    await until(clock, () => fake.handshakes === 1, 0);
    await clock.advance(3_900);
    expect(isDone).toBe(false);
    await clock.advance(200);
    expect(isDone).toBe(true);
    await expect(opening).rejects.toMatchObject({
      ...{ code: "unavailable", retryable: true },
      message: "Deepgram did not answer in time",
    });
    expect(problems).toEqual([`Deepgram did not answer in time (${hostOf(fake)}: no answer in 4 s)`]);
    expect(clock.pending()).toBe(0);
  });

  it("since it is aborted, or the engine closed", async () => {
    const { fake, engine, clock } = await setUp({ kind: "hang" }, { kind: "hang" });
    const controller = new AbortController();
    const aborted = open(engine, {}, controller.signal);
    aborted.catch(() => undefined);
    await until(clock, () => fake.handshakes === 1);
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ name: "AbortError" });
    const closed = open(engine);
    closed.catch(() => undefined);
    await until(clock, () => fake.handshakes === 2);
    await engine.close();
    await expect(closed).rejects.toMatchObject({
      code: "unavailable",
      message: "the Deepgram engine is closed",
    });
    await expect(open(engine)).rejects.toMatchObject({ code: "unavailable" });
    expect(clock.pending()).toBe(0);
  });
});

describe("a connection that ends", () => {
  it.each<[number, string | undefined, Partial<EngineError>]>([
    [1002, undefined, { code: "internal", retryable: false }],
    [1003, undefined, { code: "internal", retryable: false }],
    [1007, undefined, { code: "internal", retryable: false }],
    [1008, "DATA-0000", { code: "internal", retryable: false }],
    [1000, undefined, { code: "unavailable", retryable: true }],
    [1001, undefined, { code: "unavailable", retryable: true }],
    [1011, "a canary, see https://dpgr.am/net0001", { code: "unavailable", retryable: true }],
    [1012, undefined, { code: "unavailable", retryable: true }],
    [1013, undefined, { code: "unavailable", retryable: true }],
    [4000, undefined, { code: "unavailable", retryable: true }],
  ])("with close code %i", async (code, reason, expected) => {
    const { engine, clock } = await setUp({
      ...{ kind: "close", afterSamples: 16_000, code },
      ...(reason !== undefined && { reason }),
    });
    const { stream, errors } = await open(engine);
    await stream.write(speech);
    await until(clock, () => errors.length > 0);
    expect(errors).toMatchObject([expected]);
    expect(errors[0]?.message).not.toContain("canary");
    if (code === 1011) expect(errors[0]?.message).toContain("NET-0001");
    await expect(stream.write(speech)).rejects.toBe(errors[0]);
    await expect(stream.finalize()).rejects.toBe(errors[0]);
    await expect(stream.end()).rejects.toBe(errors[0]);
  });

  it("without a word (1006) may be tried again", async () => {
    const { engine, clock } = await setUp({ kind: "drop", afterSamples: 8_000 });
    const { stream, errors } = await open(engine);
    await stream.write(speech);
    await until(clock, () => errors.length > 0);
    expect(errors).toMatchObject([{ code: "unavailable", retryable: true }]);
    expect(errors[0]?.message).toContain("1006");
  });
});
