/** Tokens that are taken back while their streams are open, over real sockets, on one replica and on two. */
import { status as Status } from "@grpc/grpc-js";
import { createClient } from "@connectrpc/connect";
import { decodeJwt } from "jose";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { issueTranscriptionToken } from "../../src/token/targets/transcription/issue-token.ts";
import { issueUserToken } from "../../src/token/users/user-token.ts";
import { describePostgres } from "../storage/databases.ts";
import { describeRedis, redisUrl } from "../storage/redis.ts";
import { settings } from "../token/make-token.ts";
import { config, openRawStream } from "./raw-stream.ts";
import type { RawStream } from "./raw-stream.ts";
import { transportTo } from "./speech-client.ts";
import { jwtSecret, startTestServer } from "./start-test-server.ts";
import type { TestServer } from "./start-test-server.ts";

const own = { ...settings, secret: jwtSecret };
const mint = (userId: string, roomName = "room") =>
  issueTranscriptionToken(
    { userId, roomName, participantIdentity: userId, userType: "host", ttlSeconds: 600 },
    own,
    Date.now(),
  ).token;
const tokens = (server: TestServer) => createClient(TokenService, transportTo(server.url, server.apiKey));
const byUser = (value: string) => ({ selector: { case: "userId", value } }) as const;

async function open(server: TestServer, token: string): Promise<RawStream> {
  const stream = openRawStream(server.url, token);
  stream.send(config);
  await stream.next("sessionStarted");
  return stream;
}

const revoked = { code: Status.UNAUTHENTICATED, details: "the token was revoked" };

describe("a revocation ends a live stream at once", () => {
  let server: TestServer;
  beforeAll(async () => void (server = await startTestServer()));
  afterAll(() => server.stop(0));

  test.each([
    ["token_id", (token: string) => ({ case: "tokenId", value: decodeJwt(token).jti! }) as const],
    ["user_id", () => ({ case: "userId", value: "ada" }) as const],
    ["room_name", () => ({ case: "roomName", value: "room" }) as const],
  ])("by %s, and no other; its session goes on with a good token", async (_, selector) => {
    const token = mint("ada");
    const [hers, his] = [await open(server, token), await open(server, mint("bob", "other"))];
    const { endedStreams } = await tokens(server).revokeTokens({ selector: selector(token) });
    expect(endedStreams).toBe(1);
    expect(await hers.status).toMatchObject(revoked);

    const { sessionId, resumeToken } = await hers.next("sessionStarted");
    const resume = (credential: string) => {
      const stream = openRawStream(server.url, credential);
      stream.send({ message: { case: "config", value: { resume: { sessionId, resumeToken } } } });
      return stream;
    };
    expect(await resume(token).status).toMatchObject({ code: Status.UNAUTHENTICATED });
    const again = resume(mint("ada"));
    expect(await again.next("sessionStarted")).toMatchObject({ sessionId, epoch: 2 });
    for (const stream of [again, his]) {
      stream.close();
      expect(await stream.status).toMatchObject({ code: Status.OK });
    }
  });

  test("that is open by a token which replaced the revoked one goes on; by the revoked one it cannot be kept", async () => {
    const [first, second] = [mint("ada"), mint("ada")];
    const stream = await open(server, first);
    const reauthenticate = (token: string) =>
      stream.send({
        message: { case: "control", value: { action: { case: "reauthenticate", value: { token } } } },
      });
    reauthenticate(second);
    stream.send({ message: { case: "control", value: { action: { case: "keepAlive", value: {} } } } });
    await stream.next("audioAck"); // so the one before it was taken
    const byId = { case: "tokenId", value: decodeJwt(first).jti! } as const;
    expect(await tokens(server).revokeTokens({ selector: byId })).toMatchObject({ endedStreams: 0 });
    reauthenticate(first);
    expect(await stream.status).toMatchObject({ code: Status.UNAUTHENTICATED });
  });

  test("but not the stream of another user whose token's id somebody knows", async () => {
    const token = mint("ada");
    const stream = await open(server, token);
    const byId = { selector: { case: "tokenId", value: decodeJwt(token).jti! } } as const;
    const as = (userId: string) =>
      createClient(
        TokenService,
        transportTo(server.url, issueUserToken({ userId, ttlSeconds: 60 }, own, Date.now()).token),
      );
    expect(await as("bob").revokeTokens(byId)).toMatchObject({ endedStreams: 0 });
    expect(await as("ada").revokeTokens(byId)).toMatchObject({ endedStreams: 1 });
    expect(await stream.status).toMatchObject(revoked);
  });

  test("that was just being opened", async () => {
    const held = Promise.withResolvers<undefined>();
    const asked = Promise.withResolvers<undefined>();
    const real = server.engine.open.bind(server.engine);
    server.engine.open = async (...args) => {
      asked.resolve(undefined);
      await held.promise;
      return real(...args);
    };
    const stream = openRawStream(server.url, mint("ada"));
    stream.send(config);
    await asked.promise;
    server.engine.open = real;
    expect(await tokens(server).revokeTokens(byUser("ada"))).toMatchObject({ endedStreams: 0 });
    held.resolve(undefined);
    expect(await stream.status).toMatchObject(revoked);
  });
});

describe.each([
  ["PostgreSQL", describePostgres, {}],
  ["Redis", describeRedis, { REDIS_URL: redisUrl }],
] as const)("over %s", (carrier, describeReplicas, env) => {
  describeReplicas("on another replica", (url) =>
    testReplicas(() => ({ DATABASE_URL: url(), ...env }), carrier),
  );
});

function testReplicas(env: () => Readonly<Record<string, string>>, carrier: "PostgreSQL" | "Redis"): void {
  let replicas: TestServer[];
  beforeAll(async () => {
    replicas = [await startTestServer(env()), await startTestServer(env())];
  });
  afterAll(() => Promise.all(replicas.map((replica) => replica.stop(0))));

  test("the stream ends too, the token opens nothing more, and a later one does", async () => {
    const [one, two] = replicas;
    const token = mint("ada");
    const stream = await open(two!, token);
    const other = await open(two!, mint("bob"));
    expect(await tokens(one!).revokeTokens(byUser("ada"))).toMatchObject({ endedStreams: 0 });
    expect(await stream.status).toMatchObject(revoked);
    const refused = openRawStream(two!.url, token);
    expect(await refused.status).toMatchObject({ code: Status.UNAUTHENTICATED });
    const later = await open(two!, mint("ada"));
    for (const open of [other, later]) {
      open.close();
      expect(await open.status).toMatchObject({ code: Status.OK });
    }
  });

  test("that starts later, a token that was taken back before is refused", async () => {
    const token = mint("eve");
    await tokens(replicas[0]!).revokeTokens(byUser("eve"));
    const third = await startTestServer(env());
    expect(await openRawStream(third.url, token).status).toMatchObject({ code: Status.UNAUTHENTICATED });
    await third.stop(0);
  });

  test("is told by no other way", async () => {
    const client = new pg.Client({ connectionString: env()["DATABASE_URL"] });
    await client.connect();
    const listeners = await client.query(
      "select 1 from pg_stat_activity where datname = current_database() and application_name = 'parley notices'",
    );
    await client.end();
    expect(listeners.rowCount).toBe(carrier === "PostgreSQL" ? replicas.length : 0);
  });
}
