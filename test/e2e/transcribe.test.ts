import { status as Status } from "@grpc/grpc-js";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  SessionEndReason,
  SessionState,
  TranscriptionService,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { AudioEncoding } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { AnalysisService, InterviewState } from "../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { issueTranscriptionToken } from "../../src/token/targets/transcription/issue-token.ts";
import type { TranscriptionTokenRequest } from "../../src/token/targets/transcription/issue-token.ts";
import { markedAudio } from "../fakes/marker-engine.ts";
import { audio, config, openRawStream } from "./raw-stream.ts";
import type { RequestMessage } from "./raw-stream.ts";
import { mintTranscriptionToken, speak, transportTo } from "./speech-client.ts";
import { jwtSecret, startTestServer } from "./start-test-server.ts";
import type { TestServer } from "./start-test-server.ts";

let server: TestServer;
let token: string;

beforeAll(async () => {
  server = await startTestServer();
  token = await mintTranscriptionToken(server.url, server.apiKey);
});
afterAll(() => server.stop(0));

const jwt = {
  secret: jwtSecret,
  issuer: "interview-backend",
  audience: "transcription-service",
  expirySeconds: 7200,
};
const sign = (given: Partial<TranscriptionTokenRequest> = {}, nowMs = Date.now()) =>
  issueTranscriptionToken(
    {
      userId: "ann",
      roomName: "room-1",
      participantIdentity: "ann",
      userType: "host",
      ttlSeconds: 7200,
      ...given,
    },
    jwt,
    nowMs,
  ).token;

/** Sends everything, half-closes, and waits for the end. */
async function run(messages: readonly RequestMessage[], credential: string | undefined = token) {
  const stream = openRawStream(server.url, credential);
  for (const message of messages) stream.send(message);
  stream.close();
  const { code, details } = await stream.status;
  return { code, details, events: stream.events };
}

const withConfig = (value: object): RequestMessage => ({
  message: { case: "config", value: { encoding: AudioEncoding.LINEAR16, sampleRateHz: 16_000, ...value } },
});
const silence = (frames: number) => new Int16Array(frames);

describe("a session over gRPC", () => {
  test("starts, captions, acknowledges everything, and ends with the summary and OK", async () => {
    const spoken = markedAudio([1, 2, 3]);
    const { code, events } = await run([
      config,
      audio(0, spoken.subarray(0, 10_000)),
      audio(10_000, spoken.subarray(10_000)),
    ]);
    expect(code).toBe(Status.OK);
    expect(events[0]?.event.case).toBe("sessionStarted");
    expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index + 1));
    const last = events.at(-1)?.event;
    expect(last).toMatchObject({ case: "sessionSummary", value: { transcript: "w1 w2 w3", totalWords: 3 } });
    const acks = events.flatMap(({ event }) =>
      event.case === "audioAck" ? [Number(event.value.throughSample)] : [],
    );
    expect(acks.at(-1)).toBe(spoken.length);
  });

  test("with no audio at all ends with an empty summary", async () => {
    const { code, events } = await run([config]);
    expect(code).toBe(Status.OK);
    expect(events.at(-1)?.event).toMatchObject({
      case: "sessionSummary",
      value: { transcript: "", durationMs: 0 },
    });
  });

  test.each([
    ["MULAW at 8 kHz", AudioEncoding.MULAW, 8_000, 1],
    ["FLOAT32 at 48 kHz", AudioEncoding.FLOAT32, 48_000, 4],
    ["LINEAR16 at 44.1 kHz", AudioEncoding.LINEAR16, 44_100, 2],
  ])("takes %s", async (_, encoding, sampleRateHz, bytes) => {
    const { code, events } = await run([
      withConfig({ encoding, sampleRateHz }),
      audio(0, new Uint8Array((sampleRateHz / 10) * bytes)),
    ]);
    expect(code).toBe(Status.OK);
    expect(events.at(-1)?.event).toMatchObject({ case: "sessionSummary", value: { durationMs: 100 } });
  });

  test("finalize gives finals at once, and the session goes on", async () => {
    const stream = openRawStream(server.url, token);
    stream.send(config);
    stream.send(audio(0, markedAudio([5]).subarray(0, 4000))); // in the middle of the mark
    stream.send({ message: { case: "control", value: { action: { case: "finalize", value: {} } } } });
    await expect(stream.next("transcript", (event) => event.isFinal)).resolves.toMatchObject({ text: "w5" });
    await expect(stream.next("audioAck", (ack) => ack.throughSample === 4000n)).resolves.toBeDefined();
    stream.close();
    expect((await stream.status).code).toBe(Status.OK);
  });

  test("that asks for it has an analysis when it has ended", async () => {
    const { summary } = await speak({ ...server, samples: markedAudio([1, 2]), analyzeOnEnd: true });
    const analysis = createClient(AnalysisService, transportTo(server.url, server.apiKey));
    const states: InterviewState[] = [];
    for await (const { interview } of analysis.watchInterview({ interviewId: summary.interviewId })) {
      states.push(interview!.state);
      if (interview?.report) expect(interview.report.totalWords).toBe(2);
    }
    expect(states.at(-1)).toBe(InterviewState.DONE);
  });

  test("goes on when the engine is killed in the middle, and every word is there once", async () => {
    const stream = openRawStream(server.url, token);
    const spoken = markedAudio([11, 12, 13, 14]);
    stream.send(config);
    stream.send(audio(0, spoken.subarray(0, 12_000)));
    await stream.next("transcript");
    server.engine.failStreams();
    await stream.next("warning");
    stream.send(audio(12_000, spoken.subarray(12_000)));
    stream.close();
    expect((await stream.status).code).toBe(Status.OK);
    expect(stream.events.at(-1)?.event).toMatchObject({ value: { transcript: "w11 w12 w13 w14" } });
  });

  test("whose client goes away can be continued, and what was final stays", async () => {
    const stream = openRawStream(server.url, token);
    stream.send(config);
    const { sessionId } = await stream.next("sessionStarted");
    stream.send(audio(0, markedAudio([21, 22])));
    await stream.next("transcript", ({ isFinal }) => isFinal);
    stream.call.cancel();
    const client = createClient(TranscriptionService, transportTo(server.url, server.apiKey));
    const { session, summary } = await expect
      .poll(() => client.getSession({ sessionId }), { timeout: 20_000 })
      .toSatisfy(
        (answer) =>
          (answer as { session: { state: SessionState } }).session.state === SessionState.INTERRUPTED,
      )
      .then(() => client.getSession({ sessionId }));
    expect(session?.endReason).toBe(SessionEndReason.CLIENT_GONE);
    expect(summary?.transcript).toBe("w21 w22");
  });
});

describe("who may not", () => {
  test.each([
    ["no token", undefined],
    ["a wrong token", "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"],
    ["an expired token", sign({}, Date.now() - 3 * 3600_000)],
    ["something else", "x"],
  ])("%s is UNAUTHENTICATED, always with the same message", async (_, credential) => {
    const stream = openRawStream(server.url, credential);
    stream.send(config);
    const { code, details } = await stream.status;
    expect(code).toBe(Status.UNAUTHENTICATED);
    expect(details).toBe("missing or bad credential; send `authorization: Bearer <token or API key>`");
  });

  test("a service key is PERMISSION_DENIED", async () => {
    expect((await run([config], server.apiKey)).code).toBe(Status.PERMISSION_DENIED);
  });

  test.each([
    ["another room", { roomName: "room-2" }, "room_name does not match token"],
    ["another identity", { participantIdentity: "bob" }, "participant_identity does not match token"],
  ])("%s than the token's is PERMISSION_DENIED", async (_, value, message) => {
    const { code, details } = await run([withConfig(value)], sign());
    expect(code).toBe(Status.PERMISSION_DENIED);
    expect(details).toBe(message);
  });

  test("a viewer may not speak", async () => {
    expect((await run([config], sign({ userType: "viewer" }))).code).toBe(Status.PERMISSION_DENIED);
  });
});

describe("what is refused", () => {
  test.each<[string, RequestMessage[], Status, RegExp]>([
    ["nothing at all", [], Status.INVALID_ARGUMENT, /first message must be config/],
    [
      "audio before config",
      [audio(0, silence(160))],
      Status.INVALID_ARGUMENT,
      /first message must be config/,
    ],
    ["two configs", [config, config], Status.INVALID_ARGUMENT, /config was sent twice/],
    ["no encoding", [withConfig({ encoding: 0 })], Status.INVALID_ARGUMENT, /config\.encoding is required/],
    ["an unknown encoding", [withConfig({ encoding: 77 })], Status.INVALID_ARGUMENT, /encoding/],
    ["7 kHz", [withConfig({ sampleRateHz: 7_000 })], Status.INVALID_ARGUMENT, /sample_rate_hz/],
    ["no rate", [withConfig({ sampleRateHz: 0 })], Status.INVALID_ARGUMENT, /sample_rate_hz is required/],
    ["96 kHz", [withConfig({ sampleRateHz: 96_000 })], Status.INVALID_ARGUMENT, /sample_rate_hz/],
    ["nine channels", [withConfig({ channelCount: 9 })], Status.INVALID_ARGUMENT, /channel_count/],
    [
      "a language that the engine does not know",
      [withConfig({ languageCode: "not a tag" })],
      Status.INVALID_ARGUMENT,
      /language_code/,
    ],
    ["Opus", [withConfig({ encoding: AudioEncoding.OPUS })], Status.UNIMPLEMENTED, /OPUS/],
    [
      "a session that is not there",
      [withConfig({ resume: { sessionId: "s", resumeToken: "t" } })],
      Status.NOT_FOUND,
      /resume: there is no such session of yours; open a new one/,
    ],
    [
      "a resume without a token",
      [withConfig({ resume: { sessionId: "s", resumeToken: "" } })],
      Status.INVALID_ARGUMENT,
      /resume_token/,
    ],
    ["an odd byte count", [config, audio(0, new Uint8Array(321))], Status.INVALID_ARGUMENT, /multiple of 2/],
    ["an empty chunk", [config, audio(0, new Uint8Array(0))], Status.INVALID_ARGUMENT, /0 bytes/],
    [
      "a chunk over 64 KiB",
      [config, audio(0, new Uint8Array(65_538))],
      Status.INVALID_ARGUMENT,
      /at most 65536/,
    ],
    [
      "a chunk of a megabyte",
      [config, audio(0, new Uint8Array(1_000_000))],
      Status.INVALID_ARGUMENT,
      /64 KiB/,
    ],
    [
      "a gap",
      [config, audio(0, silence(160)), audio(161, silence(160))],
      Status.INVALID_ARGUMENT,
      /gap of 1 samples; expected 160/,
    ],
    [
      "an overlap",
      [config, audio(0, silence(160)), audio(159, silence(160))],
      Status.INVALID_ARGUMENT,
      /overlaps by 1 samples; expected 160/,
    ],
    ["a negative first sample", [config, audio(-1, silence(160))], Status.INVALID_ARGUMENT, /first_sample/],
    ["an empty message", [config, {}], Status.INVALID_ARGUMENT, /message|empty/],
  ])("%s, with what to do", async (_, messages, code, message) => {
    const ended = await run(messages);
    expect(ended.details).toMatch(message);
    expect(ended.code).toBe(code);
  });

  test("words that were said before the mistake stay", async () => {
    const stream = openRawStream(server.url, token);
    stream.send(config);
    const { sessionId } = await stream.next("sessionStarted");
    stream.send(audio(0, markedAudio([31]).subarray(0, 4_000)));
    stream.send(audio(1, silence(160)));
    expect((await stream.status).code).toBe(Status.INVALID_ARGUMENT);
    const client = createClient(TranscriptionService, transportTo(server.url, server.apiKey));
    await expect
      .poll(async () => (await client.getSession({ sessionId })).session?.endReason)
      .toBe(SessionEndReason.CLIENT_ERROR);
    expect((await client.getSession({ sessionId })).summary?.transcript).toBe("w31");
  });

  test("a fresh token for another room", async () => {
    const stream = openRawStream(server.url, sign());
    stream.send(config);
    const other = sign({ roomName: "room-2" });
    stream.send({
      message: { case: "control", value: { action: { case: "reauthenticate", value: { token: other } } } },
    });
    expect((await stream.status).code).toBe(Status.PERMISSION_DENIED);
  });

  test("a fresh token that is no good", async () => {
    const stream = openRawStream(server.url, sign());
    stream.send(config);
    const bad = `${sign()}x`;
    stream.send({
      message: { case: "control", value: { action: { case: "reauthenticate", value: { token: bad } } } },
    });
    expect((await stream.status).code).toBe(Status.UNAUTHENTICATED);
  });
});

test("neither a token nor a word that was said is in the log", async () => {
  await speak({ ...server, samples: markedAudio([987]) });
  await run([audio(0, silence(160))]);
  const log = server.logged.join("");
  expect(log).toContain("TranscriptionService/Transcribe");
  expect(log).not.toContain("w987");
  expect(log).not.toContain(token);
  expect(log).not.toContain(server.apiKey);
  expect(log).not.toContain(token.split(".")[2]);
});
