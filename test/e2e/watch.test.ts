/** Watchers of sessions and rooms over real sockets: what they are told, when they are not, on one replica and on two. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { toJsonString } from "@bufbuild/protobuf";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import {
  TranscriptionService,
  WatchSessionResponseSchema,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { WatchSessionResponse } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { issueTranscriptionToken } from "../../src/token/targets/transcription/issue-token.ts";
import { markedAudio } from "../fakes/marker-engine.ts";
import { describePostgres } from "../storage/databases.ts";
import { settings } from "../token/make-token.ts";
import { audio, config, openRawStream } from "./raw-stream.ts";
import type { RawStream } from "./raw-stream.ts";
import { transportTo } from "./speech-client.ts";
import { jwtSecret, startTestServer } from "./start-test-server.ts";
import type { TestServer } from "./start-test-server.ts";

const own = { ...settings, secret: jwtSecret };
const mint = (userId: string, roomName: string, ttlSeconds = 600) =>
  issueTranscriptionToken(
    { userId, roomName, participantIdentity: userId, userType: "host", ttlSeconds },
    own,
    Date.now(),
  ).token;

interface Watching {
  readonly told: readonly WatchSessionResponse[];
  /** Undefined when it ended with OK. */
  readonly ended: Promise<ConnectError | undefined>;
  readonly leave: () => void;
}

function watch(
  server: TestServer,
  credential: string,
  selector: { case: "sessionId"; value: string } | { case: "roomName"; value: string },
  cursor = "",
): Watching {
  const leaving = new AbortController();
  const told: WatchSessionResponse[] = [];
  const client = createClient(TranscriptionService, transportTo(server.url, credential));
  const ended = (async () => {
    try {
      for await (const event of client.watchSession({ selector, cursor }, { signal: leaving.signal }))
        told.push(event);
      return undefined;
    } catch (error) {
      return ConnectError.from(error);
    }
  })();
  return { told, ended, leave: () => leaving.abort() };
}
const room = (value: string) => ({ case: "roomName", value }) as const;
const session = (value: string) => ({ case: "sessionId", value }) as const;

async function speakIn(server: TestServer, userId: string, roomName: string): Promise<RawStream> {
  const stream = openRawStream(server.url, mint(userId, roomName));
  stream.send(config);
  await stream.next("sessionStarted");
  return stream;
}
function say(stream: RawStream, marks: readonly number[], firstSample = 0): void {
  const samples = markedAudio(marks);
  for (let at = 0; at < samples.length; at += 3200)
    stream.send(audio(firstSample + at, samples.subarray(at, at + 3200)));
}
const kindOf = ({ event }: WatchSessionResponse) =>
  event?.event.case === "transcript" && event.event.value.isFinal ? "final" : event?.event.case;
const lasting = (watching: Watching) =>
  watching.told.flatMap((response) => {
    const { event } = response.event ?? {};
    switch (kindOf(response)) {
      case "sessionStarted":
        return [`${response.participantIdentity} started`];
      case "final":
        return event?.case === "transcript" ? [`${response.participantIdentity}: ${event.value.text}`] : [];
      case "audioGap":
        return [`${response.participantIdentity} gap`];
      case "sessionSummary":
        return [`${response.participantIdentity} ended`];
      default:
        return [];
    }
  });
const finish = async (stream: RawStream) => {
  stream.close();
  await stream.status;
};

describe("on one server", () => {
  let server: TestServer;
  beforeAll(async () => void (server = await startTestServer()));
  afterAll(() => server.stop(0));

  test("a room's watcher is told of sessions that begin later, live and whole, and of no other room's", async () => {
    const watching = watch(server, mint("eve", "first"), room("first"));
    const elsewhere = watch(server, mint("eve", "second"), room("second"));
    const ann = await speakIn(server, "ann", "first");
    const bob = await speakIn(server, "bob", "second");
    say(ann, [1, 2]);
    say(bob, [8, 9]);
    await expect.poll(() => lasting(watching)).toEqual(["ann started", "ann: w1 w2"]);
    await finish(ann);
    await finish(bob);
    await expect.poll(() => lasting(watching)).toEqual(["ann started", "ann: w1 w2", "ann ended"]);
    await expect.poll(() => lasting(elsewhere)).toEqual(["bob started", "bob: w8 w9", "bob ended"]);
    const kinds = new Set(watching.told.map(kindOf));
    expect(kinds).toContain("transcript");
    expect(kinds).toContain("audioAck");
    expect(kinds).toContain("deliveryUpdate");
    expect(new Set(watching.told.map(({ participantIdentity }) => participantIdentity))).toEqual(
      new Set(["ann"]),
    );
    watching.leave();
    elsewhere.leave();
    await Promise.all([watching.ended, elsewhere.ended]);
  });

  test("interims come before the final of their segment, whose revision is the highest", async () => {
    const watching = watch(server, mint("eve", "interims"), room("interims"));
    const ann = await speakIn(server, "ann", "interims");
    await expect.poll(() => lasting(watching)).toEqual(["ann started"]);
    say(ann, [1, 2, 3, 0, 0, 4, 5]);
    await finish(ann);
    await expect.poll(() => lasting(watching)).toHaveLength(4);
    const results = watching.told.flatMap(({ event }) =>
      event?.event.case === "transcript" ? [event.event.value] : [],
    );
    for (const segmentIndex of [0, 1]) {
      const revisions = results.filter((result) => result.segmentIndex === segmentIndex);
      expect(revisions.length).toBeGreaterThan(1);
      expect(revisions.map(({ revision }) => revision)).toEqual(revisions.map((_, index) => index));
      expect(revisions.map(({ isFinal }) => isFinal).lastIndexOf(false)).toBe(revisions.length - 2);
    }
    watching.leave();
  });

  test("the secret that continues a session, and the speaker's token, reach no watcher", async () => {
    const live = watch(server, mint("eve", "secrets"), room("secrets"));
    const ann = await speakIn(server, "ann", "secrets");
    const { resumeToken, sessionId } = await ann.next("sessionStarted");
    say(ann, [1]);
    await finish(ann);
    await expect.poll(() => lasting(live)).toHaveLength(3);
    const later = watch(server, server.apiKey, session(sessionId));
    expect(await later.ended).toBeUndefined();
    const all = [...live.told, ...later.told].map((told) => toJsonString(WatchSessionResponseSchema, told));
    expect(all.length).toBeGreaterThan(5);
    expect(all.filter((text) => text.includes(resumeToken) || /resumeToken|tokenExpire/.test(text))).toEqual(
      [],
    );
    live.leave();
  });

  test("the watch of a session ends with its summary; from each cursor comes exactly the rest", async () => {
    const ann = await speakIn(server, "ann", "cursors");
    const { sessionId } = await ann.next("sessionStarted");
    const whole = watch(server, mint("eve", "cursors"), session(sessionId));
    say(ann, [1, 2, 0, 0, 3]);
    await finish(ann);
    expect(await whole.ended).toBeUndefined();
    const all = ["ann started", "ann: w1 w2", "ann: w3", "ann ended"];
    expect(lasting(whole)).toEqual(all);
    const steps = whole.told.filter((told) =>
      ["sessionStarted", "final", "sessionSummary"].includes(kindOf(told) ?? ""),
    );
    for (const [index, { cursor }] of steps.entries()) {
      const rest = watch(server, server.apiKey, session(sessionId), cursor);
      expect(await rest.ended).toBeUndefined();
      expect(lasting(rest)).toEqual(all.slice(index + 1));
    }
    for (const told of whole.told) expect(told.cursor).not.toBe("");
    const summary = whole.told.at(-1)?.event?.event;
    expect(summary?.case === "sessionSummary" && summary.value.transcript).toBe("w1 w2 w3");
  });

  test("many who join while somebody speaks each get all that lasts, once", async () => {
    const ann = await speakIn(server, "ann", "joining");
    const credential = mint("eve", "joining");
    const watchers: Watching[] = [];
    let at = 0;
    for (let turn = 1; turn <= 12; turn++) {
      say(ann, [turn], at);
      at += markedAudio([turn]).length;
      watchers.push(watch(server, turn % 2 === 0 ? credential : server.apiKey, room("joining")));
      await ann.next("transcript", ({ isFinal, text }) => isFinal && text === `w${turn}`);
    }
    await finish(ann);
    const all = [
      "ann started",
      ...Array.from({ length: 12 }, (_, index) => `ann: w${index + 1}`),
      "ann ended",
    ];
    for (const watching of watchers) await expect.poll(() => lasting(watching)).toEqual(all);
    for (const watching of watchers) watching.leave();
    await Promise.all(watchers.map(({ ended }) => ended));
  });

  test("a session that is interrupted and goes on is one session, told once", async () => {
    const watching = watch(server, mint("eve", "resumed"), room("resumed"));
    const first = await speakIn(server, "ann", "resumed");
    const { sessionId, resumeToken } = await first.next("sessionStarted");
    say(first, [1]);
    await first.next("transcript", ({ isFinal }) => isFinal);
    first.call.cancel();
    await first.status;
    const second = openRawStream(server.url, mint("ann", "resumed"));
    second.send({
      message: { case: "config", value: { resume: { sessionId, resumeToken, finalsReceived: 0 } } },
    });
    const { nextSample } = await second.next("sessionStarted");
    say(second, [2], Number(nextSample));
    await finish(second);
    await expect.poll(() => lasting(watching)).toEqual(["ann started", "ann: w1", "ann: w2", "ann ended"]);
    watching.leave();
  });

  test("a revocation ends the watch at once, and no other", async () => {
    const token = mint("eve", "revoked");
    const [hers, others] = [
      watch(server, token, room("revoked")),
      watch(server, mint("mal", "revoked"), room("revoked")),
    ];
    const ann = await speakIn(server, "ann", "revoked");
    await expect.poll(() => [...lasting(hers), ...lasting(others)]).toHaveLength(2);
    await createClient(TokenService, transportTo(server.url, server.apiKey)).revokeTokens({
      selector: { case: "tokenId", value: decodeJwt(token).jti! },
    });
    expect(await hers.ended).toMatchObject({
      code: Code.Unauthenticated,
      rawMessage: "the token was revoked",
    });
    say(ann, [1]);
    await expect.poll(() => lasting(others)).toContain("ann: w1");
    expect(lasting(hers)).toEqual(["ann started"]);
    others.leave();
    await finish(ann);
  });

  test("an API key that is revoked ends its watches", async () => {
    const tokens = createClient(TokenService, transportTo(server.url, server.apiKey));
    const { key, apiKey } = await tokens.createApiKey({ displayName: "watches", scopes: ["transcripts"] });
    const watching = watch(server, key, room("keys"));
    const ann = await speakIn(server, "ann", "keys");
    await expect.poll(() => lasting(watching)).toEqual(["ann started"]);
    await tokens.revokeApiKey({ apiKeyId: apiKey!.apiKeyId });
    expect(await watching.ended).toMatchObject({ code: Code.Unauthenticated });
    await finish(ann);
  });

  test("a token that expires ends the watch", async () => {
    const watching = watch(server, mint("eve", "expiring", 2), room("expiring"));
    expect(await watching.ended).toMatchObject({
      code: Code.Unauthenticated,
      rawMessage: "the token expired",
    });
  });

  test("what one participant, user or service may not see is not there", async () => {
    const ann = await speakIn(server, "ann", "private");
    const { sessionId } = await ann.next("sessionStarted");
    const refused = [
      watch(server, mint("eve", "another"), session(sessionId)),
      watch(server, mint("eve", "another"), room("private")),
      watch(server, server.apiKey, session("no-such-session")),
    ];
    for (const { ended } of refused) expect(await ended).toMatchObject({ code: Code.NotFound });
    await finish(ann);
  });
});

test("a server that stops tells what its sessions left behind, and ends watches with UNAVAILABLE", async () => {
  const server = await startTestServer();
  const watching = watch(server, mint("eve", "stopping"), room("stopping"));
  const ann = await speakIn(server, "ann", "stopping");
  say(ann, [1, 2]);
  await expect.poll(() => lasting(watching)).toContain("ann: w1 w2");
  const stopping = server.stop(200);
  expect(await watching.ended).toMatchObject({ code: Code.Unavailable });
  await stopping;
});

describePostgres("on two replicas that share a PostgreSQL", (url) => {
  let [here, there]: TestServer[] = [];
  beforeAll(async () => {
    here = await startTestServer({ DATABASE_URL: url() });
    there = await startTestServer({ DATABASE_URL: url() });
  });
  afterAll(() => Promise.all([here?.stop(0), there?.stop(0)]));

  test("what lasts of a session at the other one is told promptly, and a cursor is good at both", async () => {
    const watching = watch(there!, mint("eve", "replicas"), room("replicas"));
    const ann = await speakIn(here!, "ann", "replicas");
    const bob = await speakIn(there!, "bob", "replicas");
    await expect.poll(() => lasting(watching), { timeout: 3000 }).toEqual(["ann started", "bob started"]);
    say(ann, [1]);
    await expect.poll(() => lasting(watching), { timeout: 3000 }).toContain("ann: w1");
    say(bob, [2]);
    await expect.poll(() => lasting(watching), { timeout: 3000 }).toContain("bob: w2");
    await finish(ann);
    await finish(bob);
    const all = ["ann started", "bob started", "ann: w1", "bob: w2", "ann ended", "bob ended"];
    await expect.poll(() => lasting(watching)).toEqual(all);
    const second = watching.told.findLast((told) => lasting({ ...watching, told: [told] })[0] === "ann: w1");
    const rest = watch(here!, mint("eve", "replicas"), room("replicas"), second?.cursor);
    await expect.poll(() => lasting(rest)).toEqual(all.slice(3));
    rest.leave();
    watching.leave();
  });

  test("a revocation at one ends a watch at the other", async () => {
    const token = mint("eve", "far");
    const watching = watch(there!, token, room("far"));
    const ann = await speakIn(here!, "ann", "far");
    await expect.poll(() => lasting(watching)).toEqual(["ann started"]);
    await createClient(TokenService, transportTo(here!.url, here!.apiKey)).revokeTokens({
      selector: { case: "userId", value: "eve" },
    });
    expect(await watching.ended).toMatchObject({ code: Code.Unauthenticated });
    await finish(ann);
  });
});
