/** A transcription whose streams break: what is sent again, what the app sees, when it gives up. */
import { Code } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SpeechState, WarningCode } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { brief, samples, startBench } from "./transcription-bench.ts";
import type { Bench } from "./transcription-bench.ts";

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

/** A session that has heard 4000 samples. */
async function speaking(options: Parameters<Bench["open"]>[0] = {}) {
  const watched = bench.open(options);
  void watched.transcription.write(samples(0, 4000));
  const first = await bench.server.stream(0);
  first.start();
  await first.until(({ heard }) => heard?.to === 4000);
  await watched.until(() => watched.events.length === 1);
  return { ...watched, first };
}

describe("a connection that is cut", () => {
  test("is made again, and the audio sent again from exactly where the server says", async () => {
    const { transcription, events, states, until, outcome, first } = await speaking();
    first.transcript({ segmentIndex: 0, text: "one", isFinal: true });
    first.ack(1000);
    await until(() => events.length === 3);
    bench.proxy.cut();
    await until(() => transcription.state === "reconnecting");
    void transcription.write(samples(4000, 6000));

    const second = await bench.server.stream(1);
    expect(second.config.resume).toMatchObject({
      sessionId: "session-1",
      resumeToken: "secret-1",
      finalsReceived: 1,
    });
    second.start({ nextSample: 1500n, epoch: 2 });
    await second.until(({ heard }) => heard?.to === 6000);
    expect(second.heard).toEqual({ from: 1500, to: 6000 });
    expect(transcription.unacknowledgedMs).toBe(4500 / 16);
    transcription.end();
    await second.until(({ isHalfClosed }) => isHalfClosed);
    second.ack(6000);
    second.finish();
    expect(await outcome).toBeUndefined();
    expect(events.map(brief)).toEqual([
      "sessionStarted",
      "final 0.0 one",
      "ack 1000",
      "ack 6000",
      "sessionSummary",
    ]);
    expect(states.map(([state]) => state)).toEqual(["live", "reconnecting", "live", "ending", "ended"]);
  });

  test("before the session started, makes a new session of all the audio", async () => {
    const { transcription, states, until } = bench.open();
    void transcription.write(samples(0, 4000));
    await bench.server.stream(0);
    bench.proxy.cut();
    const second = await bench.server.stream(1);
    expect(second.config.resume).toBeUndefined();
    expect(transcription.state).toBe("connecting");
    second.start();
    await second.until(({ heard }) => heard?.to === 4000);
    expect(second.heard?.from).toBe(0);
    await until(() => states.length === 1);
    expect(states[0]?.[0]).toBe("live");
  });

  test("after end() and before the summary, is made again, and ends again", async () => {
    const { transcription, states, events, outcome, first } = await speaking();
    transcription.end();
    await first.until(({ isHalfClosed }) => isHalfClosed);
    bench.proxy.cut();
    const second = await bench.server.stream(1);
    second.start({ nextSample: 2000n });
    await second.until(({ isHalfClosed }) => isHalfClosed);
    expect(second.heard).toEqual({ from: 2000, to: 4000 });
    bench.proxy.cut();
    const third = await bench.server.stream(2);
    // The session was completed in the meantime: nothing more is wanted.
    third.start({ nextSample: 4000n });
    third.transcript({ segmentIndex: 0, text: "late", isFinal: true });
    third.finish();
    expect(await outcome).toBeUndefined();
    expect(third.audio).toEqual([]);
    expect(events.map(brief)).toEqual(["sessionStarted", "final 0.0 late", "sessionSummary"]);
    expect(states.map(([state]) => state)).toEqual([
      "live",
      "ending",
      "reconnecting",
      "ending",
      "reconnecting",
      "ending",
      "ended",
    ]);
  });

  test("after the summary, loses nothing any more", async () => {
    const { transcription, events, until, outcome, first } = await speaking();
    transcription.end();
    await first.until(({ isHalfClosed }) => isHalfClosed);
    first.ack(first.heard?.to ?? 0);
    first.send({ case: "sessionSummary", value: {} });
    await until(() => events.some((event) => event.case === "sessionSummary"));
    bench.proxy.cut();
    expect(await outcome).toBeUndefined();
    expect(transcription.state).toBe("ended");
    expect(bench.server.streams.length).toBe(1);
  });
});

test("a stream that ends with OK and no summary is no end", async () => {
  const { transcription, first } = await speaking();
  first.end();
  const second = await bench.server.stream(1);
  second.start();
  await second.until(({ heard }) => heard?.to === 4000);
  expect(transcription.state).toBe("live");
});

test("audio that the tail cannot hold is left out, and the next stream begins after it", async () => {
  const { transcription, until, states } = await speaking({ timing: { maxTailMs: 500 } });
  await bench.proxy.refuse();
  await until(() => transcription.state === "reconnecting");
  for (let at = 4000; at < 16_000; at += 2000) void transcription.write(samples(at, at + 2000));
  expect(transcription.unacknowledgedMs).toBe(500);
  await bench.proxy.resume();
  const second = await bench.server.stream(1);
  second.start({ nextSample: 1000n });
  await second.until(({ heard }) => heard?.to === 16_000);
  expect(second.heard?.from).toBe(8000);
  expect(states.map(([state]) => state)).toEqual(["live", "reconnecting", "live"]); // however many attempts failed
});

test("audio dropped before the first session is left out by a stream that resumes, for no other may", async () => {
  const { transcription } = bench.open({ timing: { maxTailMs: 500 } });
  const first = await bench.server.stream(0);
  for (let at = 0; at < 16_000; at += 2000) void transcription.write(samples(at, at + 2000));
  first.start();
  const second = await bench.server.stream(1);
  expect(first.audio).toEqual([]);
  second.start();
  await second.until(({ heard }) => heard?.to === 16_000);
  expect(second.heard?.from).toBe(8000);
});

describe("of the events, the app sees one sequence:", () => {
  test("an interim that the next stream does not go on with is taken back", async () => {
    const { events, until, first } = await speaking();
    first.transcript({ segmentIndex: 0, revision: 3, text: "will be", startMs: 0, endMs: 200 });
    first.transcript({ segmentIndex: 1, text: "gone", startMs: 200, endMs: 250 });
    await until(() => events.length === 3);
    first.fail(Code.Unavailable);
    const second = await bench.server.stream(1);
    second.start();
    second.transcript({ segmentIndex: 0, text: "will be there", startMs: 0, endMs: 220 });
    second.transcript({ segmentIndex: 0, revision: 1, text: "will be there", isFinal: true });
    second.transcript({ segmentIndex: 2, text: "next" });
    await until(() => events.length === 7);
    expect(events.slice(1).map(brief)).toEqual([
      "interim 0.3 will be",
      "interim 1.0 gone",
      "interim 0.4 will be there",
      "final 0.5 will be there",
      "interim 1.1",
      "interim 2.0 next",
    ]);
  });

  test("finals that come twice are shown and counted once, warnings always", async () => {
    const { events, until, first } = await speaking();
    for (const segmentIndex of [0, 2]) first.transcript({ segmentIndex, text: "w", isFinal: true });
    await until(() => events.length === 3);
    first.fail(Code.Unavailable);
    const second = await bench.server.stream(1);
    expect(second.config.resume?.finalsReceived).toBe(2);
    second.start();
    for (const segmentIndex of [2, 1]) second.transcript({ segmentIndex, text: "w", isFinal: true });
    second.send({ case: "warning", value: { code: WarningCode.ENGINE_RESTARTED } });
    await until(() => events.length === 5);
    second.fail(Code.Unavailable);
    const third = await bench.server.stream(2);
    expect(third.config.resume?.finalsReceived).toBe(3);
    expect(events.slice(1).map(brief)).toEqual(["final 0.0 w", "final 2.0 w", "final 1.0 w", "warning 3"]);
  });

  test("speech that is heard again begins and ends once", async () => {
    const { events, until, first } = await speaking();
    first.send({ case: "speechActivity", value: { state: SpeechState.STARTED, atMs: 10 } });
    await until(() => events.length === 2);
    first.fail(Code.Unavailable);
    const second = await bench.server.stream(1);
    second.start();
    second.send({ case: "speechActivity", value: { state: SpeechState.STARTED, atMs: 12 } });
    second.send({ case: "speechActivity", value: { state: SpeechState.ENDED, atMs: 200 } });
    await until(() => events.length === 3);
    expect(events.slice(1).map(brief)).toEqual(["speech 1 at 10", "speech 2 at 200"]);
  });
});

test("a server that stays away is given up after giveUpAfterMs, and nothing is left behind", async () => {
  await bench.proxy.refuse();
  const { outcome, states } = bench.open({ random: () => 1, timing: { giveUpAfterMs: 60_000 } });
  for (let second = 0; second < 90; second++) await bench.clock.advance(1000);
  expect(await outcome).toMatchObject({
    code: "unreachable",
    message: expect.stringMatching(/60 s/) as string,
  });
  expect(states.map(([state]) => state)).toEqual(["failed"]);
  expect(bench.clock.pending()).toBe(0);
});

describe("what the server ends for good, fails:", () => {
  const fatal: [Code, string][] = [
    [Code.InvalidArgument, "invalid"],
    [Code.PermissionDenied, "forbidden"],
    [Code.Unimplemented, "unsupported"],
    [Code.NotFound, "session-lost"],
    [Code.FailedPrecondition, "session-lost"],
    [Code.Aborted, "superseded"],
    [Code.Unauthenticated, "unauthenticated"],
  ];
  test.each(fatal.map(([code, expected]) => [Code[code], expected, code] as const))(
    "%s is %s, and no end",
    async (_name, expected, code) => {
      const { transcription, outcome, states, first } = await speaking();
      first.fail(code, "because");
      expect(await outcome).toMatchObject({ name: "TranscriptionError", code: expected });
      expect(states.at(-1)).toEqual(["failed", await outcome]);
      expect(bench.server.streams.length).toBe(1);
      expect(bench.clock.pending()).toBe(0);
      await transcription.write(samples(0, 16_000)); // not rejected, not kept
      expect(transcription.writtenMs).toBe(250);
    },
  );

  test.each([
    Code.Unavailable,
    Code.DeadlineExceeded,
    Code.Internal,
    Code.Unknown,
    Code.Canceled,
    Code.DataLoss,
  ])("code %s is tried again", async (code) => {
    const { first } = await speaking();
    first.fail(code);
    expect((await bench.server.stream(1)).config.resume?.sessionId).toBe("session-1");
  });

  test("NOT_FOUND of a new session is no lost session", async () => {
    const { outcome } = bench.open();
    (await bench.server.stream(0)).fail(Code.NotFound);
    expect(await outcome).toMatchObject({ code: "invalid" });
  });
});

describe("a session of an earlier page", () => {
  const resume = { sessionId: "session-1", resumeToken: "secret-1", finalsReceived: 7, nextSample: 5000 };

  test("goes on after what was written there; what was lost in between is left out", async () => {
    const { transcription, events, until } = bench.open({ resume });
    void transcription.write(samples(0, 2000));
    const stream = await bench.server.stream(0);
    expect(stream.config.resume).toMatchObject({
      sessionId: "session-1",
      resumeToken: "secret-1",
      finalsReceived: 7,
    });
    stream.start({ nextSample: 3000n, epoch: 2 });
    await stream.until(({ heard }) => heard?.to === 7000);
    expect(stream.heard?.from).toBe(5000);
    stream.transcript({ segmentIndex: 9, text: "w", isFinal: true });
    await until(() => events.length === 2);
    expect(transcription.resumePoint).toEqual({ ...resume, finalsReceived: 8, nextSample: 7000 });
  });

  test("goes on where the server is when the page had sent more than its resume point says", async () => {
    const { transcription } = bench.open({ resume });
    void transcription.write(samples(0, 2000));
    transcription.finalize();
    const stream = await bench.server.stream(0);
    stream.start({ nextSample: 6000n, epoch: 2 });
    await stream.until(({ controls }) => controls.length === 1);
    expect(stream.heard).toEqual({ from: 6000, to: 8000 });
    expect(transcription.resumePoint?.nextSample).toBe(8000);
  });

  test("that is over says so", async () => {
    const { outcome } = bench.open({ resume });
    (await bench.server.stream(0)).fail(Code.FailedPrecondition, "the session is over");
    expect(await outcome).toMatchObject({
      code: "session-lost",
      message: expect.stringMatching(/over/) as string,
    });
  });
});
