/** Streams that break and are continued, over real sockets, with a client that is not ours (grpc-js). */
import { once } from "node:events";
import { constants } from "node:http2";
import { status as Status } from "@grpc/grpc-js";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  AudioGapReason,
  SessionState,
  TranscriptionService,
  WarningCode,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { SessionStarted } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { issueTranscriptionToken } from "../../src/token/targets/transcription/issue-token.ts";
import { describePostgres } from "../storage/databases.ts";
import { markedAudio } from "../fakes/marker-engine.ts";
import { openHttp2Stream } from "./http2-stream.ts";
import { audio, config, openRawStream } from "./raw-stream.ts";
import type { RawStream, RequestMessage } from "./raw-stream.ts";
import { mintTranscriptionToken, transportTo } from "./speech-client.ts";
import { jwtSecret, startTestServer } from "./start-test-server.ts";
import type { TestServer } from "./start-test-server.ts";

let server: TestServer;
let token: string;

beforeAll(async () => {
  server = await startTestServer();
  token = await mintTranscriptionToken(server.url, server.apiKey);
});
afterAll(() => server.stop(0));

const open = (message: RequestMessage = config, credential = token) => {
  const stream = openRawStream(server.url, credential);
  stream.send(message);
  return stream;
};
const resume = (started: SessionStarted, fields: { finalsReceived?: number; token?: string } = {}) => {
  const { sessionId, resumeToken } = started;
  const asked = {
    sessionId,
    resumeToken: fields.token ?? resumeToken,
    finalsReceived: fields.finalsReceived,
  };
  return open({ message: { case: "config", value: { resume: asked } } });
};
/** In chunks of up to a second. */
const say = (stream: RawStream, firstSample: number, samples: Int16Array, channels = 1) => {
  for (let at = 0; at < samples.length; at += 16_000) {
    stream.send(audio(firstSample + at / channels, samples.subarray(at, at + 16_000)));
  }
};
const finalsOf = (stream: RawStream) =>
  stream.events.flatMap(({ event }) =>
    event.case === "transcript" && event.value.isFinal ? [event.value.text] : [],
  );
const summaryOf = (stream: RawStream) => {
  const last = stream.events.at(-1)?.event;
  return last?.case === "sessionSummary" ? last.value : undefined;
};
const marks = [1, 2, 3, 0, 0, 4, 5, 0, 0, 6, 7];
const spoken = markedAudio(marks);
/** The first final is committed, and the second utterance is under way. */
const breakAt = 6 * 6400 + 3000;

async function breakStream(): Promise<{ first: RawStream; started: SessionStarted }> {
  const first = open();
  const started = await first.next("sessionStarted");
  say(first, 0, spoken.subarray(0, breakAt));
  await first.next("transcript", ({ isFinal }) => isFinal);
  first.call.cancel();
  await first.status;
  return { first, started };
}

describe("a stream that breaks is continued", () => {
  test("from what is committed, and every word is there once, on the same clock", async () => {
    const { first, started } = await breakStream();
    expect(started).toMatchObject({ epoch: 1, nextSample: 0n });
    const second = resume(started);
    const restarted = await second.next("sessionStarted");
    expect(restarted).toMatchObject({ sessionId: started.sessionId, epoch: 2 });
    expect(restarted.resumeToken).toBe(started.resumeToken);
    const acknowledged = first.events.findLast(({ event }) => event.case === "audioAck")?.event.value as
      { throughSample: bigint } | undefined;
    expect(restarted.nextSample).toBeGreaterThanOrEqual(acknowledged?.throughSample ?? 0n);
    const at = Number(restarted.nextSample);
    say(second, at, spoken.subarray(at));
    second.close();
    expect((await second.status).code).toBe(Status.OK);
    const summary = summaryOf(second);
    expect(summary?.words.map((word) => word.text)).toEqual(
      marks.filter((mark) => mark > 0).map((mark) => `w${mark}`),
    );
    expect(summary?.words.map((word) => word.startMs)).toEqual(
      marks.flatMap((mark, index) => (mark > 0 ? [index * 400] : [])),
    );
    expect(summary?.gaps).toEqual([]);
    expect(summary?.durationMs).toBe(spoken.length / 16);
  });

  test("with numbers that go on", async () => {
    const { first, started } = await breakStream();
    const second = resume(started);
    await second.next("sessionStarted");
    say(second, Number((await second.next("sessionStarted")).nextSample), new Int16Array(16_000));
    await second.next("audioAck");
    const numbers = second.events.map(({ sequence }) => sequence);
    expect(numbers[0]).toBeGreaterThan(first.events.at(-1)?.sequence ?? 0);
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
    second.call.cancel();
  });

  test("with the finals that the client did not get, when it says which it has", async () => {
    const { first, started } = await breakStream();
    expect(finalsOf(first)).toEqual(["w1 w2 w3"]);
    const missing = resume(started, { finalsReceived: 0 });
    await missing.next("transcript");
    expect(missing.events.map(({ event }) => event.case).slice(0, 2)).toEqual([
      "sessionStarted",
      "transcript",
    ]);
    expect(finalsOf(missing)).toEqual(["w1 w2 w3"]);
    missing.call.cancel();
    await missing.status;
    for (const fields of [{ finalsReceived: 1 }, {}]) {
      const stream = resume(started, fields);
      const { nextSample } = await stream.next("sessionStarted");
      say(stream, Number(nextSample), new Int16Array(32_000));
      await stream.next("audioAck");
      expect(finalsOf(stream)).toEqual([]);
      stream.call.cancel();
      await stream.status;
    }
  });

  test("while the older stream is open: that one ends with ABORTED", async () => {
    const first = open();
    const started = await first.next("sessionStarted");
    say(first, 0, spoken.subarray(0, breakAt));
    await first.next("transcript", ({ isFinal }) => isFinal);
    const second = resume(started);
    await second.next("sessionStarted");
    const ended = await first.status;
    expect(ended.code).toBe(Status.ABORTED);
    expect(ended.details).toMatch(/another stream continues the session/);
    second.close();
    expect((await second.status).code).toBe(Status.OK);
  });

  test("with a gap, when the client no longer has the audio", async () => {
    const { started } = await breakStream();
    const second = resume(started);
    const at = Number((await second.next("sessionStarted")).nextSample);
    const from = 9 * 6400; // w4 and w5 are gone
    say(second, from, spoken.subarray(from));
    const gap = await second.next("audioGap");
    expect(gap).toMatchObject({
      firstSample: BigInt(at),
      endSample: BigInt(from),
      reason: AudioGapReason.CLIENT_DROPPED,
    });
    second.close();
    expect((await second.status).code).toBe(Status.OK);
    const summary = summaryOf(second);
    expect(summary?.gaps).toMatchObject([{ firstSample: BigInt(at), endSample: BigInt(from) }]);
    expect(summary?.words.map((word) => [word.text, word.startMs])).toEqual([
      ["w1", 0],
      ["w2", 400],
      ["w3", 800],
      ["w6", 3600],
      ["w7", 4000],
    ]);
  });

  test("and audio from before what is committed is passed over", async () => {
    const { started } = await breakStream();
    const second = resume(started);
    await second.next("sessionStarted");
    say(second, 0, spoken.subarray(0, 20_000));
    say(second, 20_000, spoken.subarray(20_000));
    second.close();
    expect((await second.status).code).toBe(Status.OK);
    expect(summaryOf(second)?.words).toHaveLength(7);
  });

  test("after it was completed, when the client did not hear the end: the summary comes again", async () => {
    const first = open();
    const started = await first.next("sessionStarted");
    say(first, 0, spoken);
    first.close();
    expect((await first.status).code).toBe(Status.OK);
    const again = resume(started, { finalsReceived: 1 });
    expect((await again.status).code).toBe(Status.OK);
    expect(summaryOf(again)).toEqual(summaryOf(first));
    expect(finalsOf(again)).toEqual(["w4 w5", "w6 w7"]);
    expect(again.events[0]?.event.value).toMatchObject({ nextSample: BigInt(spoken.length) });
    expect(again.events[0]?.sequence).toBeGreaterThan(first.events.at(-1)?.sequence ?? 0);
  });

  test("with two speakers, as often as it breaks", async () => {
    const raw: RequestMessage = {
      message: { case: "config", value: { encoding: 1, sampleRateHz: 16_000, channelCount: 2 } },
    };
    let stream = open(raw);
    const started = await stream.next("sessionStarted");
    // The second speaker says everything a quarter of a second later.
    const both = new Int16Array((spoken.length + 4000) * 2);
    spoken.forEach((sample, index) => {
      both[index * 2] = sample;
      both[(index + 4000) * 2 + 1] = sample;
    });
    let at = 0;
    for (const until of [18_000, 34_000, 41_000, 56_000, both.length / 2]) {
      say(stream, at, both.subarray(at * 2, until * 2), 2);
      if (until === both.length / 2) break;
      await stream.next("audioAck");
      stream.call.cancel();
      await stream.status;
      stream = resume(started);
      at = Number((await stream.next("sessionStarted")).nextSample);
    }
    stream.close();
    expect((await stream.status).code).toBe(Status.OK);
    const heard = summaryOf(stream)?.transcriptSegments ?? [];
    for (const channel of [0, 1]) {
      const words = heard.filter((segment) => segment.channel === channel).flatMap(({ words }) => words);
      expect(words.map((word) => word.text)).toEqual(["w1", "w2", "w3", "w4", "w5", "w6", "w7"]);
    }
  });
});

describe("a stream that is cancelled is no half-close, though HTTP/2 clients send one with it", () => {
  test("though the cancellation comes a moment after it", async () => {
    const opened = openHttp2Stream(server.url, token);
    const { stream } = opened;
    stream.on("data", () => undefined);
    opened.send(config);
    await once(stream, "response");
    await new Promise((resolve) => stream.end(resolve));
    await new Promise((resolve) => setTimeout(resolve, 30)); // on their way they came apart
    stream.close(constants.NGHTTP2_CANCEL);
    const client = createClient(TranscriptionService, transportTo(server.url, server.apiKey));
    const newest = async () => (await client.listSessions({ pageSize: 1 })).sessions[0]?.state;
    await expect.poll(newest).not.toBe(SessionState.ACTIVE);
    expect(await newest()).toBe(SessionState.INTERRUPTED);
  });
});

describe("a stream is not continued", () => {
  test("with another token, by another speaker, or with another format", async () => {
    const { started } = await breakStream();
    const wrong = await resume(started, { token: "guessed" }).status;
    expect([wrong.code, wrong.details]).toEqual([
      Status.NOT_FOUND,
      "resume: there is no such session of yours; open a new one",
    ]);
    const other = await mintTranscriptionToken(server.url, server.apiKey, "somebody-else");
    const { sessionId, resumeToken } = started;
    const value = { resume: { sessionId, resumeToken } };
    const theirs = await open({ message: { case: "config", value } }, other).status;
    expect([theirs.code, theirs.details]).toEqual([wrong.code, wrong.details]);
    const faster = { ...value, sampleRateHz: 48_000 };
    const differing = await open({ message: { case: "config", value: faster } }).status;
    expect(differing.code).toBe(Status.INVALID_ARGUMENT);
    expect(differing.details).toMatch(/opened with LINEAR16, 16000 Hz, 1 channel/);
    const client = createClient(TranscriptionService, transportTo(server.url, server.apiKey));
    const { session } = await client.getSession({ sessionId });
    expect(session?.state).toBe(SessionState.INTERRUPTED);
  });

  test("with another format while it is open: the open stream goes on", async () => {
    const first = open();
    const { sessionId, resumeToken } = await first.next("sessionStarted");
    const value = { resume: { sessionId, resumeToken }, channelCount: 2 };
    expect((await open({ message: { case: "config", value } }).status).code).toBe(Status.INVALID_ARGUMENT);
    say(first, 0, spoken);
    first.close();
    expect((await first.status).code).toBe(Status.OK);
  });

  test("from a negative sample", async () => {
    const { started } = await breakStream();
    const second = resume(started);
    await second.next("sessionStarted");
    second.send(audio(-16_000, new Int16Array(160)));
    const { code, details } = await second.status;
    expect([code, details]).toEqual([
      Status.INVALID_ARGUMENT,
      "audio.first_sample is negative; count from 0",
    ]);
  });

  test("after its client did something wrong: it is over", async () => {
    const first = open();
    const started = await first.next("sessionStarted");
    first.send(audio(7, new Int16Array(160)));
    expect((await first.status).code).toBe(Status.INVALID_ARGUMENT);
    await expect
      .poll(async () => {
        const again = await resume(started).status;
        return [again.code, again.details];
      })
      .toEqual([Status.FAILED_PRECONDITION, "resume: the session is over; open a new one"]);
  });
});

describe("a token", () => {
  const sign = (ttlSeconds: number) =>
    issueTranscriptionToken(
      { userId: "bo", roomName: "r", participantIdentity: "bo", userType: "host", ttlSeconds },
      {
        secret: jwtSecret,
        issuer: "interview-backend",
        audience: "transcription-service",
        expirySeconds: 7200,
      },
      Date.now(),
    ).token;
  const resumeWith = (started: SessionStarted, credential: string) => {
    const { sessionId, resumeToken } = started;
    const value = { resume: { sessionId, resumeToken } };
    return open({ message: { case: "config", value } }, credential);
  };

  test("that expires in mid-stream ends the stream, and a fresh one continues it", async () => {
    const first = open(config, sign(2));
    const started = await first.next("sessionStarted");
    say(first, 0, spoken.subarray(0, breakAt));
    const ended = await first.status;
    expect([ended.code, ended.details]).toEqual([Status.UNAUTHENTICATED, "the token expired"]);
    const second = resumeWith(started, sign(600));
    const at = Number((await second.next("sessionStarted")).nextSample);
    say(second, at, spoken.subarray(at));
    second.close();
    expect((await second.status).code).toBe(Status.OK);
    expect(summaryOf(second)?.words).toHaveLength(7);
  });

  test("that is replaced in time lets the stream go on beyond the old one's end", async () => {
    const stream = open(config, sign(2));
    await stream.next("sessionStarted");
    const control = { action: { case: "reauthenticate", value: { token: sign(600) } } } as const;
    stream.send({ message: { case: "control", value: control } });
    const endOfOld = new Promise((resolve) => setTimeout(resolve, 2_500)); // its two seconds are real
    await endOfOld;
    say(stream, 0, spoken);
    stream.close();
    expect((await stream.status).code).toBe(Status.OK);
  });
});

describePostgres("on two replicas that share a PostgreSQL", (url) => {
  let [here, there]: TestServer[] = [];
  beforeAll(async () => {
    here = await startTestServer({ DATABASE_URL: url() });
    there = await startTestServer({ DATABASE_URL: url() });
  });
  afterAll(() => Promise.all([here?.stop(0), there?.stop(0)]));

  test("a session goes on at the other one, and its older stream ends at once, though nobody speaks", async () => {
    const credential = await mintTranscriptionToken(here!.url, here!.apiKey);
    const first = openRawStream(here!.url, credential);
    first.send(config);
    const { sessionId, resumeToken } = await first.next("sessionStarted");
    say(first, 0, spoken.subarray(0, breakAt));
    await first.next("transcript", ({ isFinal }) => isFinal);
    const second = openRawStream(there!.url, credential);
    second.send({ message: { case: "config", value: { resume: { sessionId, resumeToken } } } });
    const { nextSample, epoch } = await second.next("sessionStarted");
    expect(epoch).toBe(2);
    expect(await first.status).toMatchObject({
      code: Status.ABORTED,
      details: "another stream continues the session",
    });
    const at = Number(nextSample);
    say(second, at, spoken.subarray(at));
    second.close();
    expect((await second.status).code).toBe(Status.OK);
    expect(summaryOf(second)?.words).toHaveLength(7);
  });
});

test("a keep-alive is answered, and a silent line has a heartbeat", async () => {
  const stream = open();
  await stream.next("sessionStarted");
  stream.send({ message: { case: "control", value: { action: { case: "keepAlive", value: {} } } } });
  expect(await stream.next("audioAck")).toMatchObject({ throughSample: 0n });
  stream.close();
  await stream.status;
});

test("a server that stops names the deadline, and the session goes on behind what was heard", async () => {
  const mine = await startTestServer();
  try {
    const credential = await mintTranscriptionToken(mine.url, mine.apiKey);
    const stream = openRawStream(mine.url, credential);
    stream.send(config);
    const { sessionId } = await stream.next("sessionStarted");
    say(stream, 0, spoken.subarray(0, breakAt));
    await stream.next("transcript");
    const stopping = mine.stop(300);
    const warning = await stream.next("warning", ({ code }) => code === WarningCode.SERVER_STOPPING);
    expect(warning.deadlineTime).toBeDefined();
    expect(warning.message).toMatch(/resume/);
    const ended = await stream.status;
    expect(ended.code).toBe(Status.UNAVAILABLE);
    const acknowledged = stream.events.findLast(({ event }) => event.case === "audioAck")?.event.value;
    expect(acknowledged).toMatchObject({ throughSample: BigInt(breakAt) });
    expect(sessionId).not.toBe("");
    await stopping;
  } finally {
    await mine.stop(0);
  }
});
