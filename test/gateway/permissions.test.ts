import { create } from "@bufbuild/protobuf";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { file_grpc_health_v1_health, Health } from "../../gen/ts/grpc/health/v1/health_pb.ts";
import { AnalysisService } from "../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { TranscriptionService } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import {
  checkPermissions,
  describe as describePermission,
  permissions,
} from "../../src/gateway/permissions.ts";
import type { Permission } from "../../src/gateway/permissions.ts";
import { makeApiKey } from "../../src/token/api-keys/api-key.ts";
import { apiKeyScopes } from "../../src/token/api-keys/api-key-store.ts";
import { issueLiveKitToken } from "../../src/token/targets/livekit/issue-token.ts";
import { issueUserToken } from "../../src/token/users/user-token.ts";
import { settings } from "../token/make-token.ts";
import {
  fixedAnalysisKey,
  jitsi,
  livekit,
  sfu,
  startInMemoryServer,
} from "./services/token/in-memory-server.ts";
import type { InMemoryServer } from "./services/token/in-memory-server.ts";

const services: readonly DescService[] = [TokenService, TranscriptionService, AnalysisService];
const methods = services.flatMap((service) => service.methods);
const nameOf = (method: DescMethod) => `${method.parent.name}.${method.name}`;

interface Row {
  /** Who may, in the words of the contract. */
  readonly who: string;
  /** A request that keeps the rules. */
  readonly request?: Record<string, unknown>;
  /** What a rightful caller is answered; by default that the RPC is not there yet. */
  readonly answer?: Code | "ok";
}
const interview = { interviewId: "none" };
const session = { sessionId: "none" };
const room = { roomName: "room" };
const any = `user participant ${apiKeyScopes.join(" ")}`;

/** The table of the contract, written down a second time. */
const table: Readonly<Record<string, Row>> = {
  "TokenService.CreateSessionTokens": {
    who: "user tokens",
    request: { participantIdentity: "ada" },
    answer: "ok",
  },
  "TokenService.CreateTranscriptionToken": {
    who: "user tokens",
    request: { participantIdentity: "ada" },
    answer: "ok",
  },
  "TokenService.CreateLiveKitToken": {
    who: "user tokens",
    request: { roomName: "adas-room", participantIdentity: "ada" },
    answer: "ok",
  },
  "TokenService.CreateJitsiToken": { who: "user tokens", request: { roomName: "adas-room" }, answer: "ok" },
  "TokenService.CreateSfuToken": {
    who: "user tokens",
    request: { roomName: "adas-room", userId: "ada" },
    answer: "ok",
  },
  "TokenService.ValidateToken": { who: any, request: { token: "x" }, answer: "ok" },
  "TokenService.RefreshToken": {
    who: `nobody ${any}`,
    request: { refreshToken: "x" },
    answer: Code.Unauthenticated,
  },
  "TokenService.RevokeTokens": {
    who: "user tokens",
    request: { selector: { case: "tokenId", value: "none" } },
    answer: "ok",
  },
  "TokenService.CreateRoom": {
    who: "user rooms",
    request: { roomName: "adas-room", ownerUserId: "ada" },
    answer: Code.AlreadyExists,
  },
  "TokenService.GetRoom": { who: "user rooms", request: room, answer: Code.NotFound },
  "TokenService.ListRooms": { who: "user rooms", answer: "ok" },
  "TokenService.UpdateRoom": { who: "user rooms", request: room, answer: Code.NotFound },
  "TokenService.DeleteRoom": { who: "user rooms", request: room, answer: Code.NotFound },
  "TokenService.GetLiveKitStatus": { who: any, answer: "ok" },
  "TokenService.GetStats": { who: "stats", answer: "ok" },
  "TokenService.CreateApiKey": {
    who: "admin",
    request: { displayName: "k", scopes: ["stats"] },
    answer: "ok",
  },
  "TokenService.ListApiKeys": { who: "admin", answer: "ok" },
  "TokenService.RevokeApiKey": { who: "admin", request: { apiKeyId: "none" }, answer: Code.NotFound },
  "TokenService.ListAuditEvents": { who: "admin", answer: "ok" },
  "TranscriptionService.Transcribe": { who: "participant", answer: Code.InvalidArgument },
  "TranscriptionService.WatchSession": {
    who: "user participant transcripts",
    request: { selector: { case: "sessionId", value: "none" } },
    answer: Code.NotFound,
  },
  "TranscriptionService.StartRoomTranscription": { who: "user rooms", request: room },
  "TranscriptionService.StopRoomTranscription": { who: "user rooms", request: room },
  "TranscriptionService.GetSession": { who: "user transcripts", request: session, answer: Code.NotFound },
  "TranscriptionService.ListSessions": { who: "user transcripts", answer: "ok" },
  "TranscriptionService.ExportTranscript": {
    who: "user transcripts",
    request: { ...session, format: 1 },
    answer: Code.NotFound,
  },
  "TranscriptionService.DeleteSession": { who: "user transcripts", request: session },
  "AnalysisService.AnalyzeInterview": {
    who: "participant analysis",
    request: session,
    answer: Code.NotFound,
  },
  "AnalysisService.GetInterview": { who: "user analysis", request: interview, answer: Code.NotFound },
  "AnalysisService.ListInterviews": { who: "user analysis", answer: "ok" },
  "AnalysisService.DeleteInterview": { who: "user analysis", request: interview },
  "AnalysisService.WatchInterview": { who: "user analysis", request: interview, answer: Code.NotFound },
  "AnalysisService.GetProgress": { who: "user analysis", request: { userId: "ada" }, answer: "ok" },
  "AnalysisService.SaveUserModule": { who: "user", request: { moduleName: "m", document: {} }, answer: "ok" },
  "AnalysisService.ListUserModules": { who: "user", answer: "ok" },
};

let server: InMemoryServer;
/** One good credential of each kind. */
const good = new Map<string, string>();
const bad = new Map<string, string>();

beforeAll(async () => {
  server = await startInMemoryServer({ livekit, jitsi, sfu });
  await server.storage.rooms.create({
    roomName: "adas-room",
    ownerUserId: "ada",
    access: "invited",
    members: [],
    createTime: new Date(),
  });
  const { nowMs } = server.time;
  good.set("user", server.user("ada"));
  good.set("participant", server.participant("ada"));
  for (const scope of apiKeyScopes) good.set(scope, await server.service(scope));

  const key = await server.service(...apiKeyScopes);
  const revoked = await server.service(...apiKeyScopes);
  await server.storage.apiKeys.revoke(revoked.slice(3, 19), new Date(nowMs));
  const expired = makeApiKey(
    { displayName: "k", scopes: apiKeyScopes, expireTime: new Date(nowMs - 1) },
    nowMs,
  );
  await server.storage.apiKeys.create(expired.stored);
  const revokedToken = server.participant("eve");
  await server.client(TokenService, key).revokeTokens({ selector: { case: "userId", value: "eve" } });
  const user = { userId: "ada", ttlSeconds: 3600 };
  const otherSecret = { ...settings, secret: "another-secret-of-more-than-thirty-two-bytes" };
  for (const [name, credential] of [
    ["garbage", "garbage"],
    ["an expired user token", issueUserToken(user, settings, nowMs - 3_700_000).token],
    ["a user token of another secret", issueUserToken(user, otherSecret, nowMs).token],
    ["a user token of another issuer", issueUserToken(user, { ...settings, issuer: "other" }, nowMs).token],
    ["an edited token", `${server.user("ada").slice(0, -4)}AAAA`],
    [
      "a LiveKit token",
      issueLiveKitToken(
        { ...room, participantIdentity: "ada", userType: "host", ttlSeconds: 60 },
        livekit,
        nowMs,
      ).token,
    ],
    ["a revoked transcription token", revokedToken],
    ["a revoked API key", revoked],
    ["an expired API key", expired.key],
    ["a prefix of an API key", key.slice(0, -1)],
    ["an API key that was never made", makeApiKey({ displayName: "k", scopes: apiKeyScopes }, nowMs).key],
    ["two credentials", `${key}, Bearer ${key}`],
  ] as const) {
    bad.set(name, credential);
  }
});
afterAll(() => server.close());

/** Calls an RPC whatever its kind; its answer is "ok" or the error. */
async function call(method: DescMethod, credential: string | undefined): Promise<"ok" | ConnectError> {
  const client = server.client(method.parent, credential) as unknown as Record<
    string,
    (request: unknown) => unknown
  >;
  const request = table[nameOf(method)]?.request ?? {};
  async function* nothing(): AsyncGenerator<never> {
    // ends at once
  }
  try {
    if (method.methodKind === "unary") {
      await (client[method.localName]!(create(method.input, request)) as Promise<unknown>);
    } else {
      const sent = method.methodKind === "server_streaming" ? create(method.input, request) : nothing();
      for await (const _ of client[method.localName]!(sent) as AsyncIterable<unknown>);
    }
    return "ok";
  } catch (error) {
    return ConnectError.from(error);
  }
}

const codeOf = (answer: "ok" | ConnectError) => (answer === "ok" ? answer : Code[answer.code]);

test("the table of the contract has exactly the RPCs that there are", () => {
  expect(methods.map(nameOf).sort()).toEqual(Object.keys(table).sort());
  expect([...permissions.keys()].sort()).toEqual(methods.map((m) => `${m.parent.typeName}.${m.name}`).sort());
});

describe.each(methods.map((method) => [nameOf(method), method] as const))("%s", (name, method) => {
  const { who, answer = Code.Unimplemented } = table[name] ?? { who: "" };
  const may = who.split(" ");
  const rightful = typeof answer === "number" ? Code[answer] : answer;

  test("answers UNAUTHENTICATED to no credential and to each bad one, in the same words", async () => {
    const answers = [await call(method, undefined)];
    for (const credential of bad.values()) answers.push(await call(method, credential));
    if (may.includes("nobody")) {
      for (const each of answers) expect(codeOf(each)).toBe(rightful);
      return;
    }
    for (const each of answers) expect(codeOf(each)).toBe("Unauthenticated");
    expect(new Set(answers.map((each) => (each === "ok" ? each : each.rawMessage))).size).toBe(1);
  });

  test.each(["user", "participant", ...apiKeyScopes])("has the right answer for: %s", async (kind) => {
    const got = await call(method, good.get(kind));
    expect(codeOf(got)).toBe(may.includes(kind) ? rightful : "PermissionDenied");
    if (!may.includes(kind))
      expect((got as ConnectError).rawMessage).toMatch(/^this call (is for|needs) an? /);
  });

  test("is open to the fixed key of the configuration as far as scope analysis goes", async () => {
    const got = await call(method, fixedAnalysisKey);
    expect(codeOf(got)).toBe(may.includes("analysis") ? rightful : "PermissionDenied");
  });
});

test("the reason of a refusal is for the operator only", async () => {
  server.refused.length = 0;
  const method = TokenService.method.listRooms;
  for (const name of [
    "garbage",
    "an expired user token",
    "a user token of another secret",
    "a user token of another issuer",
  ]) {
    await call(method, bad.get(name));
  }
  await call(method, undefined);
  expect(server.refused.map((reason) => reason.code)).toEqual([
    "malformed",
    "expired",
    "signature",
    "issuer",
    "missing",
  ]);
  expect(new Set(server.refused.map((reason) => reason.method))).toEqual(
    new Set(["parley.token.v1.TokenService.ListRooms"]),
  );
});

describe("at start", () => {
  test("the three services pass", () => {
    expect(() => {
      checkPermissions(services);
    }).not.toThrow();
  });

  test("a service whose RPC has no row stops the server, and is named", () => {
    expect(() => {
      checkPermissions([TokenService, Health]);
    }).toThrow(/grpc\.health\.v1\.Health\.Check/);
    for (const service of file_grpc_health_v1_health.services) {
      expect(() => {
        checkPermissions([service]);
      }).toThrow("no permission is stated");
    }
  });

  test("a row that was taken out stops the server", () => {
    const rows = permissions as Map<string, Permission>;
    const name = "parley.token.v1.TokenService.CreateRoom";
    const row = rows.get(name)!;
    rows.delete(name);
    try {
      expect(() => {
        checkPermissions(services);
      }).toThrow(name);
    } finally {
      rows.set(name, row);
    }
  });

  test("every row lets somebody in, and says whom in words", () => {
    for (const [name, permission] of permissions) {
      expect(Object.keys(permission).length, name).toBeGreaterThan(0);
      expect(describePermission(permission), name).toMatch(/^(anybody|an? )/);
    }
  });
});
