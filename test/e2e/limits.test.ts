/** Clients that take more than their share, over real sockets: each meets its limit, and the others go on. */
import { status as Status } from "@grpc/grpc-js";
import { createClient } from "@connectrpc/connect";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  SessionEndReason,
  SessionState,
  TranscriptionService,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { issueTranscriptionToken } from "../../src/token/targets/transcription/issue-token.ts";
import { EngineError } from "../../src/transcription/engines/speech-engine.ts";
import type { EngineStream } from "../../src/transcription/engines/speech-engine.ts";
import { markedAudio } from "../fakes/marker-engine.ts";
import { settings } from "../token/make-token.ts";
import { frameOf, openHttp2Stream } from "./http2-stream.ts";
import { audio, config, openRawStream } from "./raw-stream.ts";
import type { RawStream, RequestMessage } from "./raw-stream.ts";
import { transportTo } from "./speech-client.ts";
import { jwtSecret, startTestServer } from "./start-test-server.ts";
import type { TestServer } from "./start-test-server.ts";

const mint = (identity: string) =>
  issueTranscriptionToken(
    { userId: identity, roomName: "room", participantIdentity: identity, userType: "host", ttlSeconds: 600 },
    { ...settings, secret: jwtSecret },
    Date.now(),
  ).token;
const keepAlive: RequestMessage = {
  message: { case: "control", value: { action: { case: "keepAlive", value: {} } } },
};
const refusedBy = (limit: string): unknown =>
  expect.objectContaining({
    code: Status.RESOURCE_EXHAUSTED,
    details: expect.stringContaining(limit) as string,
  });

const opened: RawStream[] = [];
afterEach(async () => {
  for (const stream of opened) stream.call.cancel();
  await Promise.all(opened.splice(0).map((stream) => stream.status));
});

function ask(server: TestServer, identity: string, message = config): RawStream {
  const stream = openRawStream(server.url, mint(identity));
  stream.send(message);
  opened.push(stream);
  return stream;
}

async function open(server: TestServer, identity: string): Promise<RawStream> {
  const stream = ask(server, identity);
  await stream.next("sessionStarted");
  return stream;
}

async function finish(stream: RawStream): Promise<void> {
  stream.close();
  expect(await stream.status).toMatchObject({ code: Status.OK });
}

/** That others are served, from the first word to the summary. */
async function expectServed(server: TestServer): Promise<void> {
  const stream = await open(server, "bystander");
  stream.send(audio(0, markedAudio([1, 2, 0])));
  await finish(stream);
  const last = stream.events.at(-1)?.event;
  expect(last?.case === "sessionSummary" && last.value.transcript).toBe("w1 w2");
}

describe("streams over a limit", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ MAX_STREAMS_PER_PARTICIPANT: "2", MAX_STREAMS_PER_ADDRESS: "4" });
  });
  afterAll(() => server.stop(0));

  test("of a participant are refused until one ends; a client at its limit can still resume", async () => {
    const [first, second] = [await open(server, "ada"), await open(server, "ada")];
    expect(await ask(server, "ada").status).toEqual(refusedBy("MAX_STREAMS_PER_PARTICIPANT"));
    await open(server, "bob");

    const { sessionId, resumeToken } = await first.next("sessionStarted");
    const resumed = ask(server, "ada", {
      message: { case: "config", value: { resume: { sessionId, resumeToken } } },
    });
    expect(await resumed.next("sessionStarted")).toMatchObject({ sessionId, epoch: 2 });
    expect(await first.status).toMatchObject({ code: Status.ABORTED });
    expect(await ask(server, "ada").status).toEqual(refusedBy("MAX_STREAMS_PER_PARTICIPANT"));

    await finish(second);
    await finish(await open(server, "ada"));
    await finish(resumed);
  });

  test("that cannot be opened leave no trace in the count", async () => {
    server.engine.refuseWith = new EngineError("capacity", "the engine is at capacity");
    for (let times = 0; times < 5; times++) {
      expect(await ask(server, "ada").status).toEqual(refusedBy("at capacity"));
    }
    server.engine.refuseWith = undefined;
    const none = { sessionId: "none", resumeToken: "none" };
    for (let times = 0; times < 5; times++) {
      const stream = ask(server, "ada", { message: { case: "config", value: { resume: none } } });
      expect(await stream.status).toMatchObject({ code: Status.NOT_FOUND });
    }
    await open(server, "ada");
    await open(server, "ada");
  });

  test("whose clients vanish are given back", async () => {
    for (let times = 0; times < 3; times++) {
      const streams = [await open(server, "ada"), await open(server, "ada")];
      for (const stream of streams) stream.call.cancel();
      await Promise.all(streams.map((stream) => stream.status));
      // The server learns of it a moment later.
      await expect
        .poll(async () => {
          const stream = ask(server, "ada");
          return stream.next("sessionStarted").then(
            () => finish(stream).then(() => "open"),
            () => "refused",
          );
        })
        .toBe("open");
    }
  });

  test("from one address are refused, whoever they are", async () => {
    for (const identity of ["a", "b", "c", "d"]) await open(server, identity);
    expect(await ask(server, "e").status).toEqual(refusedBy("MAX_STREAMS_PER_ADDRESS"));
  });
});

describe("a session over a limit", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ MAX_SESSION_MEGABYTES: "1", MAX_SESSION_HOURS: "1" });
  });
  afterAll(() => server.stop(0));

  test("of bytes is over, with everything before it committed and acknowledged", async () => {
    const stream = await open(server, "ada");
    const chunk = markedAudio([1, 2, 0]);
    for (let at = 0; at <= 2 ** 19; at += chunk.length) stream.send(audio(at, chunk));
    expect(await stream.status).toEqual(refusedBy("1 MiB of audio (MAX_SESSION_MEGABYTES)"));
    const whole = Math.floor(2 ** 19 / chunk.length) * chunk.length;
    const last = stream.events.findLast(({ event }) => event.case === "audioAck")?.event;
    expect(last?.case === "audioAck" && Number(last.value.throughSample)).toBe(whole);
    await expectServed(server);
  });

  test("of time is over, however little audio came", async () => {
    const first = await open(server, "ada");
    const { sessionId, resumeToken } = await first.next("sessionStarted");
    const resumed = ask(server, "ada", {
      message: { case: "config", value: { resume: { sessionId, resumeToken } } },
    });
    await resumed.next("sessionStarted");
    resumed.send(audio(3600 * 16_000 - 10, new Int16Array(11)));
    expect(await resumed.status).toEqual(refusedBy("1 hours of audio (MAX_SESSION_HOURS)"));
    await expectServed(server);
  });
});

describe("a client at its own pace", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ STREAM_IDLE_SECONDS: "5", MAX_UNREAD_KIB: "16" });
  });
  afterAll(() => server.stop(0));

  /** What the next engine stream is to be like; later ones are the engine's own. */
  function onNextStream(change: (stream: EngineStream) => EngineStream): void {
    const real = server.engine.open.bind(server.engine);
    server.engine.open = async (...args) => {
      server.engine.open = real;
      return change(await real(...args));
    };
  }

  const minute = 60 * 16_000;
  const chunkSamples = 32_000;
  function flood(identity: string, samples: number) {
    const client = openHttp2Stream(server.url, mint(identity));
    client.stream.resume();
    client.send(config);
    const silence = new Int16Array(chunkSamples);
    for (let at = 0; at < samples; at += chunkSamples) client.send(audio(at, silence));
    return client;
  }
  /** What flow control lets through beside what the session takes: windows, and the message that is being read. */
  const inFlight = 4 * 65_536;

  test("that writes as fast as it can is held back while the engine is busy, and loses nothing", async () => {
    const busy = Promise.withResolvers<undefined>();
    onNextStream((stream) => ({
      write: (samples) => busy.promise.then(() => stream.write(samples)),
      finalize: () => stream.finalize(),
      end: () => stream.end(),
    }));
    const client = flood("fast", 10 * minute);
    await expect.poll(() => client.taken()).toBeGreaterThan(64_000);
    for (let times = 0; times < 3; times++) await expectServed(server);
    // Two seconds may wait for the engine, and one chunk of two seconds may be on top.
    expect(client.taken()).toBeLessThan(2 * 2 * chunkSamples + 2 * chunkSamples + inFlight);
    busy.resolve(undefined);
    client.end();
    expect(await client.status).toEqual({ code: Status.OK, message: "" });
    expect(client.taken()).toBe(client.sent());
  });

  test("that writes as fast as it can and reads no acks is held back after 30 s of unacknowledged audio", async () => {
    onNextStream((stream) => ({
      write: () => Promise.resolve(), // taken, and never heard
      finalize: () => stream.finalize(),
      end: () => stream.end(),
    }));
    const client = flood("unheard", 10 * minute);
    await expect.poll(() => client.taken()).toBeGreaterThan(20 * 32_000);
    for (let times = 0; times < 3; times++) await expectServed(server);
    expect(client.taken()).toBeLessThan(30 * 32_000 + inFlight);
    client.stream.close();
    await expect.poll(() => server.engine.openStreams).toBe(0);
  });

  test("that falls silent, or never ends a message, is taken for dead; one that says it is there is not", async () => {
    const [silent, there] = [await open(server, "silent"), await open(server, "there")];
    const dribbling = openHttp2Stream(server.url, mint("dribbling"));
    dribbling.stream.resume();
    dribbling.send(config);
    const message = frameOf(audio(0, new Int16Array(3200)));
    let at = 0;
    const everyNow = setInterval(() => {
      dribbling.write(message.subarray(at, ++at));
      there.send(keepAlive);
    }, 100);
    try {
      const details = "no message for 5 s (STREAM_IDLE_SECONDS); send keep_alive when there is no audio";
      expect(await silent.status).toMatchObject({ code: Status.DEADLINE_EXCEEDED, details });
      expect(await dribbling.status).toEqual({ code: Status.DEADLINE_EXCEEDED, message: details });
      expect(at).toBeGreaterThan(10);
    } finally {
      clearInterval(everyNow);
    }
    await finish(there);
  });

  test("that does not read loses its stream once too much is unread, and learns why when it reads", async () => {
    const client = openHttp2Stream(server.url, mint("unread"));
    client.send(config);
    client.stream.pause();
    const sessions = createClient(TranscriptionService, transportTo(server.url, server.apiKey));
    const stateOf = async () => (await sessions.listSessions({ userId: "unread" })).sessions[0];
    await expect.poll(async () => (await stateOf())?.state).toBe(SessionState.ACTIVE);
    for (let times = 0; times < 20_000; times++) client.send(keepAlive);
    await expect
      .poll(stateOf)
      .toMatchObject({ state: SessionState.INTERRUPTED, endReason: SessionEndReason.STALLED });
    await expectServed(server);
    client.stream.resume();
    expect(await client.status).toEqual({
      code: Status.RESOURCE_EXHAUSTED,
      message: "more than 16 KiB of events were not read (MAX_UNREAD_KIB); read them, and resume",
    });
  });
});
