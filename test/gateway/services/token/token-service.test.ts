import { toJsonString } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserType } from "../../../../gen/ts/parley/token/v1/room_pb.ts";
import {
  ListApiKeysResponseSchema,
  Target,
  TokenKind,
  TokenService,
  ValidityReason,
} from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import { verifyOwnToken } from "../../../../src/token/credentials/verify-credential.ts";
import {
  header,
  makeToken,
  settings,
  transcriptionClaims,
  userClaims,
  without,
} from "../../../token/make-token.ts";
import { livekit, startInMemoryServer } from "./in-memory-server.ts";
import type { InMemoryServer } from "./in-memory-server.ts";

let server: InMemoryServer;
let withLiveKit: InMemoryServer;
let tokensKey: string;
let adminKey: string;

beforeAll(async () => {
  server = await startInMemoryServer();
  withLiveKit = await startInMemoryServer({ storage: server.storage, livekit });
  withLiveKit.time = server.time;
  tokensKey = await server.service("tokens");
  adminKey = await server.service("admin");
});
afterAll(async () => {
  await withLiveKit.close();
  await server.close();
});

const asUser = (userId = "ada", on = server) => on.client(TokenService, server.user(userId));
const asService = (on = server) => on.client(TokenService, tokensKey);
const asAdmin = () => server.client(TokenService, adminKey);

async function errorOf(promise: Promise<unknown>): Promise<ConnectError> {
  const error = await promise.then(
    () => expect.unreachable("the call succeeded"),
    (reason: unknown) => reason,
  );
  return ConnectError.from(error);
}

describe("CreateSessionTokens", () => {
  test("gives a user everything to enter a new room that they own", async () => {
    const answer = await asUser("ada", withLiveKit).createSessionTokens({
      interviewType: "case",
      participantName: "Ada",
    });
    expect(answer).toMatchObject({
      roomName: expect.stringMatching(/^case-ada-[0-9a-z]+$/) as string,
      participantIdentity: "ada",
      userType: UserType.HOST,
      livekitUrl: "wss://live.example.com",
      jitsiToken: "",
      sfuToken: "",
      refreshToken: expect.stringMatching(/^eyJ/) as string,
    });
    const caller = verifyOwnToken(answer.transcriptionToken, settings, Date.now());
    expect(caller).toMatchObject({
      kind: "participant",
      userId: "ada",
      userType: "host",
      roomName: answer.roomName,
    });
    expect(decodeJwt(answer.livekitToken)).toMatchObject({
      iss: "APIkey",
      sub: "ada",
      name: "Ada",
      video: { room: answer.roomName, roomJoin: true },
    });
    expect(await server.storage.rooms.get(answer.roomName)).toMatchObject({ ownerUserId: "ada" });
  });

  test("tells each token's expiry, and the first of them in seconds", async () => {
    const now = Math.floor(server.time.nowMs / 1000);
    const answer = await asUser("ada", withLiveKit).createSessionTokens({});
    expect(decodeJwt(answer.livekitToken).exp).toBe(
      timestampDate(answer.livekitExpireTime!).getTime() / 1000,
    );
    expect(decodeJwt(answer.transcriptionToken).exp).toBe(
      timestampDate(answer.transcriptionExpireTime!).getTime() / 1000,
    );
    const livekitExp = decodeJwt(answer.livekitToken).exp!;
    expect(decodeJwt(answer.transcriptionToken).exp! - livekitExp).toBe(3600);
    expect(livekitExp).toBeGreaterThanOrEqual(now + 3600);
    expect(answer.expiresIn).toBeGreaterThanOrEqual(3599);
    expect(answer.expiresIn).toBeLessThanOrEqual(3600);
    const only = await asUser("ada", withLiveKit).createSessionTokens({ targets: [Target.TRANSCRIPTION] });
    expect(only.expiresIn).toBeGreaterThanOrEqual(7199);
    expect(only.livekitExpireTime).toBeUndefined();
  });

  test("makes by default what is configured, and otherwise what is asked for", async () => {
    const made = async (on: InMemoryServer, targets: Target[]) => {
      const answer = await asUser("ada", on).createSessionTokens({ targets });
      return {
        livekit: answer.livekitToken !== "",
        transcription: answer.transcriptionToken !== "",
        url: answer.livekitUrl,
      };
    };
    const url = livekit.url;
    expect(await made(server, [])).toEqual({ livekit: false, transcription: true, url: "" });
    expect(await made(withLiveKit, [])).toEqual({ livekit: true, transcription: true, url });
    expect(await made(withLiveKit, [Target.LIVEKIT])).toEqual({ livekit: true, transcription: false, url });
    expect(await made(withLiveKit, [Target.TRANSCRIPTION])).toEqual({
      livekit: false,
      transcription: true,
      url: "",
    });
  });

  test("names the variables to set when an asked target is not configured, and makes no room", async () => {
    const error = await errorOf(
      asUser("nobody").createSessionTokens({ targets: [Target.LIVEKIT], interviewType: "lost" }),
    );
    expect(error.code).toBe(Code.FailedPrecondition);
    for (const name of ["LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"])
      expect(error.rawMessage).toContain(name);
    expect(await server.storage.rooms.get(`lost-nobody-${server.time.nowMs.toString(36)}`)).toBeUndefined();
  });

  test("names the variables of Jitsi and the SFU as well", async () => {
    for (const [target, variable] of [
      [Target.JITSI, "JITSI_DOMAIN"],
      [Target.SFU, "SFU_JWT_SECRET"],
    ] as const) {
      const error = await errorOf(asUser().createSessionTokens({ targets: [Target.TRANSCRIPTION, target] }));
      expect([error.code, error.rawMessage]).toEqual([
        Code.FailedPrecondition,
        expect.stringContaining(variable),
      ]);
    }
  });

  test("lets a service bring in anyone, under the name and type that it says", async () => {
    const answer = await asService(withLiveKit).createSessionTokens({
      roomName: "a room: ünïcode",
      participantIdentity: "phone",
      userId: "bob",
      userType: UserType.GUEST,
    });
    expect(answer).toMatchObject({
      roomName: "a room: ünïcode",
      participantIdentity: "phone",
      userType: UserType.GUEST,
    });
    const claims = verifyOwnToken(answer.transcriptionToken, settings, Date.now());
    expect(claims).toMatchObject({ userId: "bob", participantIdentity: "phone", userType: "guest" });
    expect(decodeJwt(answer.livekitToken)).toMatchObject({
      sub: "phone",
      video: { room: "a room: ünïcode", canPublishSources: ["camera", "microphone"] },
    });
    expect(decodeJwt(answer.livekitToken)).not.toHaveProperty("name");
  });

  test("refuses a user another's name and a room that is not theirs", async () => {
    const { roomName } = await asUser("ada").createSessionTokens({});
    for (const request of [{ participantIdentity: "bob" }, { userId: "bob" }, { roomName: "no such room" }]) {
      expect((await errorOf(asUser("ada").createSessionTokens(request))).code).toBe(Code.PermissionDenied);
    }
    const invited = await errorOf(asUser("bob").createSessionTokens({ roomName }));
    const unknown = await errorOf(asUser("bob").createSessionTokens({ roomName: "no such room" }));
    expect([invited.code, invited.message]).toEqual([unknown.code, unknown.message]);
    await expect(asUser("ada").createSessionTokens({ roomName })).resolves.toMatchObject({ roomName });
  });

  test.each([
    ["a service that names nobody", {}],
    ["a room with a wildcard", { roomName: "*", participantIdentity: "p" }],
    ["a room with a line end", { roomName: "a\nb", participantIdentity: "p" }],
    ["a room that is too long", { roomName: "x".repeat(129), participantIdentity: "p" }],
    ["an identity that is too long", { participantIdentity: "x".repeat(129) }],
    ["an identity that no token could carry", { participantIdentity: "__proto__" }],
    ["an interview type with a slash", { participantIdentity: "p", interviewType: "a/b" }],
    ["a target twice", { participantIdentity: "p", targets: [Target.TRANSCRIPTION, Target.TRANSCRIPTION] }],
    ["a target that is none", { participantIdentity: "p", targets: [99 as Target] }],
    ["a user type that is none", { participantIdentity: "p", userType: 9 as UserType }],
  ])("refuses %s as INVALID_ARGUMENT", async (_, request) => {
    expect((await errorOf(asService().createSessionTokens(request))).code).toBe(Code.InvalidArgument);
  });

  test("makes new tokens each time", async () => {
    const one = await asService().createSessionTokens({ roomName: "r", participantIdentity: "p" });
    const other = await asService().createSessionTokens({ roomName: "r", participantIdentity: "p" });
    expect(one.transcriptionToken).not.toBe(other.transcriptionToken);
  });
});

describe("CreateTranscriptionToken", () => {
  test("gives a token for as long as asked, and two hours otherwise", async () => {
    for (const [ttlSeconds, lifetime] of [
      [undefined, 7200],
      [60, 60],
      [86_400, 86_400],
    ] as const) {
      const answer = await asUser().createTranscriptionToken(ttlSeconds === undefined ? {} : { ttlSeconds });
      const { iat, exp } = decodeJwt(answer.token);
      expect(exp! - iat!).toBe(lifetime);
      expect(answer.expiresIn).toBeGreaterThanOrEqual(lifetime - 1);
      expect(answer.expiresIn).toBeLessThanOrEqual(lifetime);
      expect(timestampDate(answer.expireTime!).getTime()).toBe(exp! * 1000);
      expect(verifyOwnToken(answer.token, settings, Date.now())).toMatchObject({ roomName: answer.roomName });
    }
  });

  test.each([59, 86_401, 0, -1, 1_000_000_000])("refuses a lifetime of %d seconds", async (ttlSeconds) => {
    const error = await errorOf(asUser().createTranscriptionToken({ ttlSeconds }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toContain("ttl_seconds");
  });

  test("its token opens no other door than a participant's", async () => {
    const { token } = await asUser().createTranscriptionToken({});
    const error = await errorOf(server.client(TokenService, token).createTranscriptionToken({}));
    expect(error.code).toBe(Code.PermissionDenied);
  });
});

describe("ValidateToken", () => {
  const now = () => Math.floor(server.time.nowMs / 1000);
  const fresh = (changes: object = {}) => {
    const at = now();
    return { ...transcriptionClaims, iat: at, nbf: at, exp: at + 3600, ...changes };
  };
  const validate = (token: string, request: { target?: Target; roomName?: string } = {}) =>
    asService().validateToken({ token, ...request });

  test("tells a good transcription token with its claims and expiry", async () => {
    const claims = fresh();
    expect(await validate(makeToken(claims))).toMatchObject({
      valid: true,
      reason: ValidityReason.OK,
      kind: TokenKind.TRANSCRIPTION,
      claims,
      expireTime: timestampFromDate(new Date(claims.exp * 1000)),
    });
  });

  test("tells a good user token", async () => {
    const answer = await validate(server.user("ada"));
    expect(answer).toMatchObject({
      valid: true,
      kind: TokenKind.USER,
      claims: { sub: "ada", aud: "parley" },
    });
  });

  test.each<[string, keyof typeof ValidityReason, () => string]>([
    ["garbage", "MALFORMED", () => "garbage"],
    ["an API key", "MALFORMED", () => adminKey],
    ["a JWE", "MALFORMED", () => "a.b.c.d.e"],
    ["another algorithm", "ALGORITHM", () => makeToken(fresh(), { ...header, alg: "none" })],
    [
      "another secret",
      "SIGNATURE",
      () => makeToken(fresh(), header, "another-secret-of-32-bytes-or-more!!!!"),
    ],
  ])("answers %s with %s, and shows nothing of it", async (_, reason, token) => {
    const answer = await validate(token());
    expect(answer).toMatchObject({
      valid: false,
      reason: ValidityReason[reason],
      kind: TokenKind.UNSPECIFIED,
    });
    expect(answer.claims).toBeUndefined();
    expect(answer.expireTime).toBeUndefined();
  });

  test.each<[string, keyof typeof ValidityReason, () => object]>([
    ["has expired", "EXPIRED", () => fresh({ iat: now() - 3600, nbf: now() - 3600, exp: now() - 10 })],
    [
      "expired a year ago",
      "EXPIRED",
      () => fresh({ iat: now() - 31_536_000, nbf: undefined, exp: now() - 31_532_400 }),
    ],
    ["is not yet valid", "NOT_YET_VALID", () => fresh({ nbf: now() + 600 })],
    ["was issued in the future", "NOT_YET_VALID", () => fresh({ iat: now() + 600 })],
    ["lives too long", "LIFETIME", () => fresh({ exp: now() + 86_401 })],
    ["has another issuer", "ISSUER", () => fresh({ iss: "other" })],
    ["has another audience", "AUDIENCE", () => fresh({ aud: "other" })],
    ["has no user", "CLAIM", () => without(fresh(), "userId" as never)],
    ["has no expiry", "CLAIM", () => without(fresh(), "exp" as never)],
    ["has an expiry that is none", "CLAIM", () => fresh({ exp: "soon" })],
    ["has an expiry after the end of time", "CLAIM", () => fresh({ exp: 253_402_300_800 })],
  ])("of ours that %s is answered with %s and its claims", async (_, reason, claims) => {
    const said = JSON.parse(JSON.stringify(claims())) as Record<string, unknown>;
    const answer = await validate(makeToken(said));
    expect(answer).toMatchObject({ valid: false, reason: ValidityReason[reason], claims: said });
    const { exp } = said;
    const isTime = typeof exp === "number" && exp < 253_402_300_800;
    expect(answer.expireTime && timestampDate(answer.expireTime).getTime()).toBe(
      isTime ? exp * 1000 : undefined,
    );
    const isOurs = said["iss"] === settings.issuer && said["aud"] === settings.audience;
    expect(answer.kind).toBe(isOurs ? TokenKind.TRANSCRIPTION : TokenKind.UNSPECIFIED);
  });

  test("of another room answers ROOM, and the token's own room answers OK", async () => {
    const token = makeToken(fresh());
    expect(await validate(token, { roomName: "other" })).toMatchObject({
      valid: false,
      reason: ValidityReason.ROOM,
    });
    expect(await validate(token, { roomName: "Room" })).toMatchObject({
      valid: false,
      reason: ValidityReason.ROOM,
    });
    expect(await validate(token, { roomName: "room" })).toMatchObject({ valid: true });
  });

  test("for Transcribe, a user token has the wrong audience", async () => {
    const target = Target.TRANSCRIPTION;
    expect(await validate(makeToken(fresh()), { target })).toMatchObject({ valid: true });
    const user = await validate(server.user("ada"), { target });
    expect(user).toMatchObject({ valid: false, reason: ValidityReason.AUDIENCE, kind: TokenKind.USER });
  });

  test("for a server that is not there answers that it is not configured", async () => {
    for (const target of [Target.LIVEKIT, Target.JITSI, Target.SFU]) {
      const answer = await validate(makeToken(fresh()), { target });
      expect(answer).toMatchObject({ valid: false, reason: ValidityReason.TARGET_NOT_CONFIGURED });
    }
  });

  test.each([
    ["a number beyond all numbers", '"x":1e999'],
    ["half a surrogate pair", String.raw`"x":"\ud800"`],
    ["a name that is half a surrogate pair", String.raw`"\ud800":1`],
    ["a member called __proto__", '"__proto__":{"a":1}'],
    ["nulls and lists within lists", '"x":[null,[[{"y":null}]],1.5,true]'],
  ])("answers, and does not fail, for claims with %s", async (_, member) => {
    const payload = JSON.stringify(fresh()).replace(/\}$/, `,${member}}`);
    for (const format of ["binary", "json"] as const) {
      const client = server.client(TokenService, tokensKey, format);
      const answer = await client.validateToken({ token: makeToken(payload) });
      expect(answer.reason).not.toBe(ValidityReason.UNSPECIFIED);
    }
    expect(server.internalErrors).toEqual([]);
  });

  test("says the same to a user and to a participant", async () => {
    for (const credential of [server.user("eve"), server.participant("eve")]) {
      const answer = await server
        .client(TokenService, credential)
        .validateToken({ token: makeToken(userClaims) });
      expect(answer).toMatchObject({ valid: false, reason: ValidityReason.EXPIRED });
    }
  });

  test.each([
    ["no token", ""],
    ["more than 8 KiB", "x".repeat(8193)],
  ])("refuses %s", async (_, token) => {
    expect((await errorOf(validate(token))).code).toBe(Code.InvalidArgument);
  });
});

describe("API keys", () => {
  test("are shown once, work at once, and end with their revocation", async () => {
    const { key, apiKey } = await asAdmin().createApiKey({
      displayName: "backend",
      scopes: ["tokens", "stats"],
    });
    expect(key).toMatch(/^pk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    expect(apiKey).toMatchObject({
      apiKeyId: key.slice(3, 19),
      displayName: "backend",
      scopes: ["tokens", "stats"],
    });
    const client = server.client(TokenService, key);
    await client.createTranscriptionToken({ participantIdentity: "p" });

    const revoked = await asAdmin().revokeApiKey({ apiKeyId: apiKey!.apiKeyId });
    expect(revoked.apiKey?.revokeTime).toBeDefined();
    expect((await errorOf(client.createTranscriptionToken({ participantIdentity: "p" }))).code).toBe(
      Code.Unauthenticated,
    );

    server.time.nowMs += 5000;
    const again = await asAdmin().revokeApiKey({ apiKeyId: apiKey!.apiKeyId });
    expect(again.apiKey?.revokeTime).toEqual(revoked.apiKey?.revokeTime);
  });

  test("end with their expiry", async () => {
    const expireTime = timestampFromDate(new Date(Date.now() + 600_000));
    const { key, apiKey } = await asAdmin().createApiKey({
      displayName: "k",
      scopes: ["tokens"],
      expireTime,
    });
    expect(apiKey?.expireTime).toEqual(expireTime);
    const client = server.client(TokenService, key);
    await client.createTranscriptionToken({ participantIdentity: "p" });
    const before = server.time.nowMs;
    server.time.nowMs = Date.now() + 600_001;
    try {
      expect((await errorOf(client.createTranscriptionToken({ participantIdentity: "p" }))).code).toBe(
        Code.Unauthenticated,
      );
    } finally {
      server.time.nowMs = before;
    }
  });

  test("with scope admin are not the key to everything", async () => {
    const error = await errorOf(asAdmin().createTranscriptionToken({ participantIdentity: "p" }));
    expect(error).toMatchObject({ code: Code.PermissionDenied });
    expect(error.rawMessage).toContain('scope "tokens"');
  });

  test("are listed in pages, newest first, and never with their secret", async () => {
    const made: string[] = [];
    for (let index = 0; index < 5; index++) {
      server.time.nowMs += 1000;
      const { key } = await asAdmin().createApiKey({ displayName: `page ${index}`, scopes: ["stats"] });
      made.unshift(key);
    }
    const listed: string[] = [];
    let pageToken = "";
    do {
      const page = await asAdmin().listApiKeys({ pageSize: 2, pageToken });
      expect(page.apiKeys.length).toBeLessThanOrEqual(2);
      listed.push(...page.apiKeys.map((key) => key.apiKeyId));
      for (const key of made)
        expect(toJsonString(ListApiKeysResponseSchema, page)).not.toContain(key.slice(20));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(listed.slice(0, 5)).toEqual(made.map((key) => key.slice(3, 19)));
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed).toContain(adminKey.slice(3, 19));
    expect((await asAdmin().listApiKeys({})).apiKeys.map((key) => key.apiKeyId)).toEqual(listed);
  });

  test.each([
    ["a page of none", { pageSize: 0 }],
    ["a page too large", { pageSize: 201 }],
    ["a token that is none", { pageToken: "canary" }],
    ["a token of another list", { pageToken: Buffer.from('["sessions",0,"x"]').toString("base64url") }],
  ])("are not listed for %s", async (_, request) => {
    const error = await errorOf(asAdmin().listApiKeys(request));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toMatch(/page_(size|token)/);
    expect(error.rawMessage).not.toContain("canary");
  });

  test("that are not there cannot be revoked", async () => {
    for (const apiKeyId of ["0".repeat(16), "x", "' or 1=1", "\0"]) {
      expect((await errorOf(asAdmin().revokeApiKey({ apiKeyId }))).code).toBe(Code.NotFound);
    }
  });

  test.each([
    ["no name", { displayName: "", scopes: ["stats"] }],
    ["no scope", { displayName: "k", scopes: [] }],
    ["an unknown scope", { displayName: "k", scopes: ["root"] }],
    ["a scope twice", { displayName: "k", scopes: ["stats", "stats"] }],
    [
      "an expiry in the past",
      { displayName: "k", scopes: ["stats"], expireTime: timestampFromDate(new Date(0)) },
    ],
  ])("are not made with %s", async (_, request) => {
    expect((await errorOf(asAdmin().createApiKey(request))).code).toBe(Code.InvalidArgument);
  });
});

test("nothing of all this was an internal error", () => {
  expect(server.internalErrors).toEqual([]);
  expect(withLiveKit.internalErrors).toEqual([]);
});
