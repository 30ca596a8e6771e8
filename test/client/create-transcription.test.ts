/** One stream of a transcription: what it sends, what it shows, what it refuses. Real sockets, a clock moved by hand. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AudioEncoding } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { createTranscription } from "../../src/client/index.ts";
import type { TranscriptionConfig } from "../../src/client/index.ts";
import { settle } from "../fakes/manual-clock.ts";
import { brief, config, samples, startBench } from "./transcription-bench.ts";
import type { Bench } from "./transcription-bench.ts";

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

test("sends what is written, shows the events, and ends with the summary", async () => {
  const { transcription, events, states, outcome } = bench.open();
  expect(transcription.state).toBe("connecting");
  void transcription.write(samples(0, 4000));
  const stream = await bench.server.stream(0);
  expect(stream.authorization).toBe("Bearer token-1");
  stream.start();
  await stream.until(({ heard }) => heard?.to === 4000);
  stream.transcript({ segmentIndex: 0, text: "hello" });
  stream.transcript({ segmentIndex: 0, revision: 1, text: "hello there", isFinal: true });
  stream.ack(4000);
  transcription.end();
  await stream.until(({ isHalfClosed }) => isHalfClosed);
  stream.finish();
  expect(await outcome).toBeUndefined();
  expect(events.map(brief)).toEqual([
    "sessionStarted",
    "interim 0.0 hello",
    "final 0.1 hello there",
    "ack 4000",
    "sessionSummary",
  ]);
  expect(states.map(([state]) => state)).toEqual(["live", "ending", "ended"]);
  expect(transcription).toMatchObject({ state: "ended", writtenMs: 250, sentMs: 250, unacknowledgedMs: 0 });
  expect(bench.clock.pending()).toBe(0);
});

test("the config reaches the server whole", async () => {
  bench.open({
    config: {
      ...config,
      channelCount: 2,
      languageCode: "en-GB",
      interimResults: false,
      analyzeOnEnd: true,
      caseQuestion: "Why?",
      keyterms: ["Parley"],
      diarize: true,
      roomName: "room-1",
      participantIdentity: "ann",
    },
  });
  const stream = await bench.server.stream(0);
  expect(stream.config).toMatchObject({
    encoding: AudioEncoding.LINEAR16,
    sampleRateHz: 16_000,
    channelCount: 2,
    languageCode: "en-GB",
    interimResults: false,
    analyzeOnEnd: true,
    caseQuestion: "Why?",
    keyterms: ["Parley"],
    diarize: true,
    roomName: "room-1",
    participantIdentity: "ann",
  });
  expect(stream.config.resume).toBeUndefined();
});

test("a session without audio ends, too", async () => {
  const { transcription, outcome } = bench.open();
  transcription.end();
  const stream = await bench.server.stream(0);
  stream.start();
  await stream.until(({ isHalfClosed }) => isHalfClosed);
  expect(stream.received).toEqual([]);
  stream.finish();
  expect(await outcome).toBeUndefined();
});

test("a heartbeat is not shown, and acknowledgements never fall", async () => {
  const { events, until } = bench.open();
  const stream = await bench.server.stream(0);
  stream.start();
  for (const through of [0, 100, 100, 50, 200]) stream.ack(through);
  await until(() => events.length === 3);
  expect(events.map(brief)).toEqual(["sessionStarted", "ack 100", "ack 200"]);
});

describe("audio", () => {
  test("of any length goes up in pieces of 100 ms", async () => {
    const { transcription } = bench.open();
    void transcription.write(samples(0, 40_000));
    const stream = await bench.server.stream(0);
    stream.start();
    await stream.until(({ heard }) => heard?.to === 40_000);
    expect(stream.audio.map(({ data }) => data.length / 2)).toEqual(Array(25).fill(1600));
    const bytes = stream.audio.flatMap(({ data }) => [...data]);
    expect(Buffer.from(bytes).equals(Buffer.from(samples(0, 40_000)))).toBe(true);
  });

  test("in eight channels of 32-bit floats stays below 64 KiB a message", async () => {
    const { transcription } = bench.open({
      config: { encoding: AudioEncoding.FLOAT32, sampleRateHz: 48_000, channelCount: 8 },
    });
    const frameBytes = 32;
    void transcription.write(new Uint8Array(48_000 * frameBytes));
    const stream = await bench.server.stream(0);
    stream.start();
    const sent = () => stream.audio.reduce((total, { data }) => total + data.length, 0);
    await stream.until(() => sent() === 48_000 * frameBytes);
    let frame = 0;
    for (const { firstSample, data } of stream.audio) {
      expect(data.length).toBeLessThanOrEqual(65_536);
      expect(Number(firstSample)).toBe(frame);
      frame += data.length / frameBytes;
    }
  });

  test("written in drops is gathered, and not for longer than 20 ms", async () => {
    const { transcription } = bench.open();
    const stream = await bench.server.stream(0);
    stream.start();
    for (let at = 0; at < 640; at += 128) void transcription.write(samples(at, at + 128)); // 8 ms each
    await stream.until(({ heard }) => heard?.to === 640);
    void transcription.write(samples(640, 700));
    await settle();
    await bench.clock.advance(19);
    expect(stream.heard?.to).toBe(640);
    await bench.clock.advance(1);
    await stream.until(({ heard }) => heard?.to === 700);
  });

  test("is copied: the app may use its buffer again", async () => {
    const { transcription } = bench.open();
    const buffer = samples(0, 1600);
    void transcription.write(buffer);
    buffer.fill(0xff);
    const stream = await bench.server.stream(0);
    stream.start();
    await stream.until(({ heard }) => heard?.to === 1600);
    expect(Buffer.from(stream.audio[0]!.data).equals(Buffer.from(samples(0, 1600)))).toBe(true);
  });

  test("makes its writer wait while two seconds are unsent", async () => {
    const { transcription } = bench.open();
    let written = 0;
    const writing = (async () => {
      for (; written < 160_000; written += 1600) await transcription.write(samples(written, written + 1600));
    })();
    const stream = await bench.server.stream(0);
    await settle();
    expect(written).toBe(32_000);
    stream.start();
    await stream.until(({ heard }) => heard?.to === 160_000);
    await writing;
  });
});

describe("finalize", () => {
  test("goes up after the audio that was written before it, and at once", async () => {
    const { transcription } = bench.open();
    void transcription.write(samples(0, 1700));
    transcription.finalize();
    transcription.finalize();
    void transcription.write(samples(1700, 3700));
    const stream = await bench.server.stream(0);
    stream.start();
    await stream.until(({ heard }) => heard?.to === 3700);
    const order = stream.received.map((message) =>
      message.case === "audio" ? Number(message.value.firstSample) : message.case,
    );
    expect(order).toEqual([0, 1600, "control", 1700, 3200]);
    expect(stream.controls).toEqual(["finalize"]);
  });

  test("is said again after a resume when its audio is not acknowledged", async () => {
    const { transcription, until } = bench.open();
    void transcription.write(samples(0, 1600));
    transcription.finalize();
    void transcription.write(samples(1600, 3200));
    transcription.finalize();
    const first = await bench.server.stream(0);
    first.start();
    await first.until(({ controls }) => controls.length === 2);
    first.ack(1600);
    await until(() => transcription.unacknowledgedMs === 100);
    bench.proxy.cut();
    const second = await bench.server.stream(1);
    second.start({ nextSample: 1600n });
    await second.until(({ controls }) => controls.length === 1);
    expect(second.heard).toEqual({ from: 1600, to: 3200 });
  });
});

describe("what cannot work is refused at once", () => {
  const bad: [string, Partial<TranscriptionConfig>, string, RegExp][] = [
    ["no encoding", { encoding: AudioEncoding.UNSPECIFIED }, "invalid", /config\.encoding/],
    ["Opus", { encoding: AudioEncoding.OPUS }, "unsupported", /OPUS/],
    ["a rate too low", { sampleRateHz: 7999 }, "invalid", /8000 to 48000/],
    ["a broken rate", { sampleRateHz: 16_000.5 }, "invalid", /whole number/],
    ["nine channels", { channelCount: 9 }, "invalid", /1 to 8/],
  ];
  test.each(bad)("%s", (_name, given, code, message) => {
    const open = () =>
      createTranscription({ transport: {} as never, token: "", config: { ...config, ...given } });
    expect(open).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
    );
  });

  test("samples that are not whole, too many at once, and any after end()", () => {
    const { transcription } = bench.open({ timing: { maxTailMs: 1000 } });
    expect(() => transcription.write(new Uint8Array(3))).toThrow(/2 bytes each/);
    expect(() => transcription.write(samples(0, 8001))).toThrow(/at most 500 ms/);
    transcription.end();
    expect(() => transcription.write(samples(0, 1))).toThrow(/after end/);
  });
});

test("an app that does not read is waited for, and nothing is lost or taken for silence", async () => {
  const { transcription, clock } = { transcription: openUnread(), clock: bench.clock };
  const stream = await bench.server.stream(0);
  stream.start();
  for (let index = 0; index < 1000; index++)
    stream.transcript({ segmentIndex: index, text: "w", isFinal: true });
  await settle();
  for (let second = 0; second < 30; second++) await clock.advance(1000);
  expect(transcription.state).toBe("live");
  expect(transcription.resumePoint?.finalsReceived).toBe(0);
  const events = transcription[Symbol.asyncIterator]();
  await events.next();
  for (let index = 0; index < 1000; index++) {
    expect((await events.next()).value).toMatchObject({ value: { segmentIndex: index } });
  }
  expect(transcription.resumePoint?.finalsReceived).toBe(1000);
  await events.return?.();
});

function openUnread() {
  const { server, clock } = bench;
  return createTranscription({ transport: bench.transport(server.port), token: "t", config, clock });
}
