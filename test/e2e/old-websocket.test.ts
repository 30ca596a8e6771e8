/** The old JSON WebSocket as its clients use it, over real sockets: sessions, captions of rooms, refusals and limits. */
import { createHmac } from "node:crypto";
import { createClient } from "@connectrpc/connect";
import { decodeJwt } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { AnalysisService } from "../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { SessionState, TranscriptionService } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { UserType } from "../../src/token/rooms/room-store.ts";
import { issueSfuToken } from "../../src/token/targets/sfu/issue-token.ts";
import { issueTranscriptionToken } from "../../src/token/targets/transcription/issue-token.ts";
import { issueUserToken } from "../../src/token/users/user-token.ts";
import { markedAudio } from "../fakes/marker-engine.ts";
import { settings } from "../token/make-token.ts";
import { openOldClient } from "./old-client.ts";
import type { OldClient, OldMessage } from "./old-client.ts";
import { audio, config, openRawStream } from "./raw-stream.ts";
import { transportTo } from "./speech-client.ts";
import { jwtSecret, startTestServer } from "./start-test-server.ts";
import type { TestServer } from "./start-test-server.ts";

const own = { ...settings, secret: jwtSecret };
const sfu = { url: "wss://sfu.example.com", jwtSecret: "an-sfu-secret-of-32-bytes-at-least!!" };

let server: TestServer;
const opened: OldClient[] = [];
beforeAll(async () => {
  server = await startTestServer({
    SFU_URL: sfu.url,
    SFU_JWT_SECRET: sfu.jwtSecret,
    STREAM_IDLE_SECONDS: "5",
  });
});
afterAll(() => server.stop(0));
afterEach(() => {
  for (const client of opened.splice(0)) client.socket.terminate();
});

const mint = (
  participantIdentity: string,
  roomName: string,
  fields: { userType?: UserType; ttlSeconds?: number } = {},
) =>
  issueTranscriptionToken(
    {
      userId: participantIdentity,
      roomName,
      participantIdentity,
      userType: "host",
      ttlSeconds: 600,
      ...fields,
    },
    own,
    Date.now(),
  ).token;
const mintSfu = (userId: string, roomName: string, ttlSeconds = 600) =>
  issueSfuToken({ userId, roomName, userType: "guest", ttlSeconds }, sfu, Date.now()).token;
const open = async (token: string, path = "/") => {
  const client = await openOldClient(server.url, `${path}?token=${encodeURIComponent(token)}`);
  opened.push(client);
  return client;
};
const roomPath = "/aq_server/websocket";
const start = (roomName: string, participantIdentity: string) => ({
  action: "start",
  roomName,
  participantIdentity,
});
const finalsOf = (messages: readonly OldMessage[]) =>
  messages.flatMap((message) =>
    message.type === "transcript" && message["isFinal"] ? [message["text"]] : [],
  );
const sessions = () => createClient(TranscriptionService, transportTo(server.url, server.apiKey));
const spoken = markedAudio([1, 2, 3]);

describe("a session", () => {
  test("is started, spoken to, and stopped; its events come as protobuf JSON, and as old clients read them", async () => {
    const client = await open(mint("ann", "r1"));
    client.say(start("r1", "ann"));
    expect(await client.next("started")).toMatchObject({ message: expect.any(String) as string });
    client.speak(spoken);
    await client.next("transcript");
    client.say({ action: "stop" });
    expect(await client.closed).toEqual({ code: 1000, reason: "" });

    const { messages } = client;
    expect(messages[1]).toMatchObject({
      type: "sessionStarted",
      sequence: 1,
      sessionStarted: { epoch: 1, engine: "marker", nextSample: "0" },
      epoch: 1,
    });
    const final = messages.find(({ type, isFinal }) => type === "transcript" && isFinal === true);
    expect(final).toMatchObject({
      text: "w1 w2 w3",
      transcript: {
        text: "w1 w2 w3",
        isFinal: true,
        words: [{ text: "w1", startMs: 0, endMs: 300 }, {}, {}],
      },
    });
    expect((final?.["words"] as object[])[1]).toMatchObject({ word: "w2", start: 0.4, end: 0.7, text: "w2" });
    const interim = messages.find(({ type, isFinal }) => type === "transcript" && isFinal === false);
    expect(interim).toBeDefined();
    const [summary, stopped] = messages.slice(-2);
    expect(summary).toMatchObject({
      type: "sessionSummary",
      transcript: "w1 w2 w3",
      totalWords: 3,
      sessionSummary: { totalWords: 3, words: [{}, {}, {}] },
    });
    expect(summary).not.toHaveProperty("words");
    expect(stopped).toMatchObject({ type: "stopped" });
    const numbers = messages.flatMap(({ sequence }) => (sequence === undefined ? [] : [sequence]));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  test("is the same session as over gRPC: stored, owned, and logged without its token", async () => {
    const token = mint("bea", "r2");
    const client = await open(token);
    client.say({ action: "start", room_name: "r2", participant_identity: "bea" }); // as Python clients write it
    client.speak(spoken);
    const { sessionId } = (await client.next("sessionStarted")) as unknown as { sessionId: string };
    client.say({ action: "stop" });
    await client.closed;
    const { session, summary } = await sessions().getSession({ sessionId });
    expect(session).toMatchObject({ userId: "bea", roomName: "r2", state: SessionState.ENDED });
    expect(summary?.transcript).toBe("w1 w2 w3");
    const line = () =>
      server.logged.find((text) => text.includes("/Transcribe") && text.includes("participant:bea"));
    await expect.poll(line).toContain('"protocol":"json-websocket"');
    expect(server.logged.filter((text) => text.includes(token))).toEqual([]);
    const { events } = await createClient(
      TokenService,
      transportTo(server.url, server.apiKey),
    ).listAuditEvents({});
    expect(events.filter(({ actor }) => actor === "participant:bea").map(({ action }) => action)).toEqual([
      "session.transcribe",
    ]);
  });

  test("that ends with `complete` is analysed", async () => {
    const client = await open(mint("cem", "r3"));
    client.say({ ...start("r3", "cem"), caseQuestion: "How many windows are there?" });
    client.speak(spoken);
    client.say({ action: "complete" });
    const { interviewId } = (await client.next("session_complete")) as unknown as { interviewId: string };
    expect((await client.closed).code).toBe(1000);
    const { interview } = await createClient(
      AnalysisService,
      transportTo(server.url, server.apiKey),
    ).getInterview({ interviewId });
    expect(interview).toMatchObject({ userId: "cem", caseQuestion: "How many windows are there?" });
  });

  test("whose socket closes without `stop` is interrupted, and goes on over another", async () => {
    const token = mint("dan", "r4");
    const first = await open(token);
    first.say(start("r4", "dan"));
    first.speak(spoken);
    const started = await first.next("sessionStarted");
    const { sessionId, resumeToken } = started as unknown as { sessionId: string; resumeToken: string };
    await first.next("transcript", ({ isFinal }) => isFinal === true);
    first.socket.close();
    await first.closed;
    await expect
      .poll(async () => (await sessions().getSession({ sessionId })).session?.state)
      .toBe(SessionState.INTERRUPTED);
    const second = await open(token);
    second.say({ action: "start", resume: { sessionId, resumeToken } });
    const { epoch } = (await second.next("sessionStarted")) as unknown as { epoch: number };
    expect(epoch).toBe(2);
    second.speak(markedAudio([4]));
    second.say({ action: "stop" });
    const summary = await second.next("sessionSummary");
    expect(summary["transcript"]).toBe("w1 w2 w3 w4");
  });

  test("is finalized, kept alive and given a fresh token by messages of their own", async () => {
    const client = await open(mint("eli", "r5"));
    client.say(start("r5", "eli"));
    client.speak(markedAudio([1]).subarray(0, 4800)); // no silence after it that would end the utterance
    client.speak(new Int16Array(12_000).fill(33));
    await client.next("sessionStarted");
    client.say({ action: "finalize" });
    await client.next("transcript", ({ isFinal }) => isFinal === true);
    client.say({ action: "keep_alive" });
    client.say({ action: "reauthenticate", token: mint("eli", "r5") });
    client.say({ action: "stop" });
    expect((await client.closed).code).toBe(1000);
  });
});

describe("who sends no audio", () => {
  test("is shown what the participant says otherwise in the room, and nobody else's words", async () => {
    const client = await open(mint("fay", "r6"));
    client.say(start("r6", "fay"));
    await client.next("started");
    const others = openRawStream(server.url, mint("gus", "r6"));
    const elsewhere = openRawStream(server.url, mint("fay", "r7"));
    const tap = openRawStream(server.url, mint("fay", "r6"));
    for (const stream of [others, elsewhere, tap]) {
      stream.send(config);
      await stream.next("sessionStarted");
    }
    const { sessionId } = await tap.next("sessionStarted");
    // The watch begins half a second after `start`; what was said before is not shown.
    let at = 0;
    await expect
      .poll(() => {
        const samples = markedAudio([7]);
        tap.send(audio(at, samples));
        others.send(audio(at, markedAudio([8])));
        elsewhere.send(audio(at, markedAudio([9])));
        at += samples.length;
        return finalsOf(client.messages);
      })
      .toContain("w7");
    const told = client.messages.filter(({ type }) => type !== "started");
    expect(new Set(told.map((message) => message["sessionId"]))).toEqual(new Set([sessionId]));
    expect(new Set(finalsOf(told))).toEqual(new Set(["w7"]));
    expect(JSON.stringify(told)).not.toContain("resumeToken");
    client.say({ action: "stop" });
    expect((await client.closed).code).toBe(1000);
    for (const stream of [others, elsewhere, tap]) stream.call.cancel();
  });

  test("may be one who may not speak; audio from such a one is refused", async () => {
    const client = await open(mint("hal", "r8", { userType: "viewer" }));
    client.say(start("r8", "hal"));
    await client.next("started");
    client.speak(spoken);
    expect(await client.next("error")).toMatchObject({ code: "permission_denied" });
    expect(await client.closed).toEqual({ code: 4403, reason: "a VIEWER may not speak in this room" });
  });
});

describe("a room's captions", () => {
  test("reach who has a token of the SFU for it, of all speakers, and those of no other room", async () => {
    const [here, there] = [
      await open(mintSfu("kai", "r9"), roomPath),
      await open(mintSfu("kai", "r10"), roomPath),
    ];
    expect(await here.next("started")).toMatchObject({ roomName: "r9" });
    const [lea, max, ned] = [
      openRawStream(server.url, mint("lea", "r9")),
      openRawStream(server.url, mint("max", "r9")),
      openRawStream(server.url, mint("ned", "r10")),
    ];
    for (const stream of [lea, max, ned]) {
      stream.send(config);
      await stream.next("sessionStarted");
    }
    let at = 0;
    await expect
      .poll(() => {
        [lea, max, ned].forEach((stream, index) => stream.send(audio(at, markedAudio([index + 1]))));
        at += markedAudio([1]).length;
        return [...new Set([...finalsOf(here.messages), ...finalsOf(there.messages)])].sort();
      })
      .toEqual(["w1", "w2", "w3"]);
    expect(new Set(finalsOf(here.messages))).toEqual(new Set(["w1", "w2"]));
    expect(new Set(finalsOf(there.messages))).toEqual(new Set(["w3"]));
    const final = here.messages.find((message) => message["text"] === "w2" && message["isFinal"]);
    expect(final).toMatchObject({ participantIdentity: "max", cursor: expect.any(String) as string });
    here.say("what is said is not looked at");
    for (const stream of [lea, max, ned]) stream.call.cancel();
  });

  test("end when the token does, or is revoked", async () => {
    const short = await open(mintSfu("ola", "r11", 2), roomPath);
    expect(await short.next("error")).toMatchObject({ code: "unauthenticated" });
    expect(await short.closed).toEqual({ code: 4401, reason: "the token expired" });
    const pam = await open(mintSfu("pam", "r11"), roomPath);
    await createClient(TokenService, transportTo(server.url, server.apiKey)).revokeTokens({
      selector: { case: "userId", value: "pam" },
    });
    expect(await pam.closed).toEqual({ code: 4401, reason: "the token was revoked" });
  });
});

describe("a handshake", () => {
  const unsigned = (claims: object, secret: string) => {
    const input = [{ alg: "HS256", typ: "JWT" }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
  };
  const soon = () => Math.floor(Date.now() / 1000) + 600;

  test.each<[string, string, () => string]>([
    ["no token", "/", () => ""],
    ["garbage", "/", () => "?token=garbage"],
    ["two tokens", "/", () => `?token=${mint("a", "r")}&token=${mint("a", "r")}`],
    ["an expired token", "/", () => `?token=${mint("a", "r", { ttlSeconds: -60 })}`],
    ["an API key", "/", () => `?token=${server.apiKey}`],
    ["a token of the SFU", "/", () => `?token=${mintSfu("a", "r")}`],
    ["no token", roomPath, () => ""],
    ["a transcription token", roomPath, () => `?token=${mint("a", "r")}`],
    [
      "an SFU token without a room",
      roomPath,
      () => `?token=${unsigned({ user_id: "a", exp: soon() }, sfu.jwtSecret)}`,
    ],
    [
      "an SFU token without an end",
      roomPath,
      () => `?token=${unsigned({ user_id: "a", room: "r" }, sfu.jwtSecret)}`,
    ],
    [
      "an SFU token of another secret",
      roomPath,
      () => `?token=${unsigned({ user_id: "a", room: "r", exp: soon() }, jwtSecret)}`,
    ],
  ])("with %s at %s is 401", async (_, path, query) => {
    await expect(openOldClient(server.url, `${path}${query()}`)).rejects.toThrow("HTTP 401");
  });

  test("with a login is 403: it says nothing of a room", async () => {
    const { token } = issueUserToken({ userId: "ada", ttlSeconds: 60 }, own, Date.now());
    await expect(openOldClient(server.url, `/?token=${token}`)).rejects.toThrow("HTTP 403");
  });

  test("with a revoked token is 401, and leaves its mark in the audit log", async () => {
    const token = mint("quy", "r12");
    const tokens = createClient(TokenService, transportTo(server.url, server.apiKey));
    await tokens.revokeTokens({ selector: { case: "tokenId", value: decodeJwt(token).jti! } });
    await expect(openOldClient(server.url, `/?token=${token}`)).rejects.toThrow("HTTP 401");
    await expect
      .poll(async () => {
        const { events } = await tokens.listAuditEvents({});
        return events.map(({ action, outcome }) => `${action} ${outcome}`);
      })
      .toContain("credential.refuse revoked");
    expect(server.logged.filter((text) => text.includes(token))).toEqual([]);
  });

  test("too many bad ones from an address are 429 before the token is looked at", async () => {
    const limited = await startTestServer({ MAX_CALLS_PER_ADDRESS_PER_MINUTE: "3" });
    try {
      for (let turn = 0; turn < 3; turn++)
        await expect(openOldClient(limited.url, "/?token=x")).rejects.toThrow("HTTP 401");
      await expect(openOldClient(limited.url, `/?token=${mint("a", "r")}`)).rejects.toThrow("HTTP 429");
    } finally {
      await limited.stop(0);
    }
  });
});

describe("what is not allowed ends the socket with a message and a code", () => {
  test("a room other than the token's", async () => {
    const client = await open(mint("ray", "r13"));
    client.say(start("another", "ray"));
    expect(await client.next("error")).toMatchObject({
      code: "permission_denied",
      message: "roomName does not match token",
    });
    expect(await client.closed).toEqual({ code: 4403, reason: "roomName does not match token" });
    expect(client.messages.map(({ type }) => type)).toEqual(["error"]);
  });

  test("an identity other than the token's", async () => {
    const client = await open(mint("ray", "r13"));
    client.say(start("r13", "sam"));
    expect(await client.closed).toEqual({ code: 4403, reason: "participantIdentity does not match token" });
  });

  test.each<[string, (client: OldClient) => void, RegExp]>([
    ["audio before start", (client) => client.speak(spoken.subarray(0, 1600)), /the first message is/],
    ["stop before start", (client) => client.say({ action: "stop" }), /the first message is/],
    ["no JSON", (client) => client.say("hello"), /text messages are JSON objects/],
    ["JSON that is no object", (client) => client.say("[1]"), /text messages are JSON objects/],
    ["an unknown action", (client) => client.say({ action: "sing" }), /action: expected start/],
    ["a room that is no text", (client) => client.say({ action: "start", roomName: {} }), /start: a member/],
    [
      "a rate that is none",
      (client) =>
        client.say({ ...start("r14", "tia"), sampleRateHz: 5, resume: { sessionId: "x", resumeToken: "y" } }),
      /sampleRateHz/,
    ],
  ])("%s", async (_, say, message) => {
    const client = await open(mint("tia", "r14"));
    say(client);
    expect(await client.next("error")).toMatchObject({
      code: "invalid_argument",
      message: expect.stringMatching(message) as string,
    });
    expect((await client.closed).code).toBe(4400);
  });

  test.each<[string, (client: OldClient) => void, RegExp]>([
    ["half a sample", (client) => client.socket.send(new Uint8Array(3)), /multiple of 2/],
    ["start, again", (client) => client.say(start("r15", "udo")), /start was sent twice/],
    ["an unknown action", (client) => client.say({ action: "sing" }), /action: expected start/],
  ])("in a session, which is over then: %s", async (_, say, message) => {
    const client = await open(mint("udo", "r15"));
    client.say(start("r15", "udo"));
    client.speak(spoken.subarray(0, 1600));
    const { sessionId } = (await client.next("sessionStarted")) as unknown as { sessionId: string };
    say(client);
    expect(await client.next("error")).toMatchObject({ message: expect.stringMatching(message) as string });
    expect((await client.closed).code).toBe(4400);
    await expect
      .poll(async () => (await sessions().getSession({ sessionId })).session?.state)
      .toBe(SessionState.ENDED);
  });

  test("a message over 64 KiB", async () => {
    const client = await open(mint("vic", "r16"));
    client.say(start("r16", "vic"));
    await client.next("started");
    client.socket.send(new Uint8Array(70_000));
    expect((await client.closed).code).toBe(1009);
  });

  test("silence in a session, and a token that expires in it", async () => {
    const silent = await open(mint("wim", "r17"));
    silent.say(start("r17", "wim"));
    silent.speak(spoken);
    const expiring = await open(mint("xia", "r17", { ttlSeconds: 3 }));
    expiring.say(start("r17", "xia"));
    expiring.speak(spoken);
    expect(await expiring.closed).toEqual({ code: 4401, reason: "the token expired" });
    expect((await silent.closed).code).toBe(4408);
    expect(await silent.next("error")).toMatchObject({ code: "deadline_exceeded" });
  });

  test("a token that is revoked", async () => {
    const token = mint("yan", "r18");
    const client = await open(token);
    client.say(start("r18", "yan"));
    client.speak(spoken);
    await client.next("sessionStarted");
    await createClient(TokenService, transportTo(server.url, server.apiKey)).revokeTokens({
      selector: { case: "tokenId", value: decodeJwt(token).jti! },
    });
    expect(await client.closed).toEqual({ code: 4401, reason: "the token was revoked" });
  });
});

test("without a secret of the SFU no token for a room's captions is good", async () => {
  const bare = await startTestServer();
  try {
    const token = mintSfu("a", "r");
    await expect(openOldClient(bare.url, `${roomPath}?token=${token}`)).rejects.toThrow("HTTP 401");
  } finally {
    await bare.stop(0);
  }
});

test("a server that stops has the session's words in safety, and says that one should try again", async () => {
  const stopped = await startTestServer();
  const client = await openOldClient(stopped.url, `/?token=${mint("abe", "r20")}`);
  client.say(start("r20", "abe"));
  client.speak(spoken);
  await client.next("transcript");
  const stopping = stopped.stop(300);
  expect(await client.next("warning")).toMatchObject({ code: "WARNING_CODE_SERVER_STOPPING" });
  expect(await client.next("error")).toMatchObject({ code: "unavailable" });
  expect((await client.closed).code).toBe(1013);
  expect(finalsOf(client.messages)).toEqual(["w1 w2 w3"]);
  await stopping;
});

test("a WebSocket is no way round the limits on streams", async () => {
  const limited = await startTestServer({
    MAX_STREAMS_PER_PARTICIPANT: "1",
    MAX_OPENED_STREAMS_PER_MINUTE: "2",
  });
  const speak = async () => {
    const client = await openOldClient(limited.url, `/?token=${mint("zoe", "r19")}`);
    client.say(start("r19", "zoe"));
    client.speak(spoken);
    return client;
  };
  try {
    const first = await speak();
    await first.next("sessionStarted");
    const second = await speak();
    expect(await second.next("error")).toMatchObject({
      code: "resource_exhausted",
      message: expect.stringContaining("MAX_STREAMS_PER_PARTICIPANT") as string,
    });
    expect((await second.closed).code).toBe(4429);
    const third = await speak();
    expect(await third.next("error")).toMatchObject({
      message: expect.stringContaining("MAX_OPENED_STREAMS_PER_MINUTE") as string,
    });
    first.socket.terminate();
  } finally {
    await limited.stop(0);
  }
});
