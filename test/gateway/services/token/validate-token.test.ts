/** ValidateToken over the whole service: a bad token is an answer. */
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  Target,
  TokenKind,
  TokenService,
  ValidityReason,
} from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import { header, makeToken } from "../../../token/make-token.ts";
import { jitsi, livekit, sfu, startInMemoryServer } from "./in-memory-server.ts";
import type { InMemoryServer } from "./in-memory-server.ts";

let server: InMemoryServer;
let bare: InMemoryServer;
let tokensKey: string;
let now: number;

beforeAll(async () => {
  server = await startInMemoryServer({ livekit, jitsi, sfu });
  bare = await startInMemoryServer({ storage: server.storage });
  tokensKey = await server.service("tokens");
  now = Math.floor(server.time.nowMs / 1000);
});
afterAll(async () => {
  await bare.close();
  await server.close();
});

const service = () => server.client(TokenService, tokensKey);
const jitsiSecret = "a-jitsi-secret-of-32-bytes-at-least!";
const jitsiClaims = () => ({
  aud: "jitsi",
  iss: "app",
  sub: "meet.example.com",
  room: "talk",
  exp: now + 60,
  moderator: true,
  context: { user: { moderator: "true" } },
});
const jitsiToken = (changes: object = {}) => makeToken({ ...jitsiClaims(), ...changes }, header, jitsiSecret);
const liveKitToken = (changes: object = {}) =>
  makeToken(
    { iss: livekit.apiKey, sub: "ada", exp: now + 60, video: { roomJoin: true, room: "talk" }, ...changes },
    header,
    livekit.apiSecret,
  );

describe("a token of each kind, as this server made it", () => {
  test("is valid where it belongs and nowhere else, with its claims and its kind", async () => {
    const tokens = await service().createSessionTokens({
      roomName: "talk",
      participantIdentity: "ada",
      targets: [Target.LIVEKIT, Target.TRANSCRIPTION, Target.JITSI, Target.SFU],
    });
    const kinds = [
      [tokens.livekitToken, Target.LIVEKIT, TokenKind.LIVEKIT, tokens.livekitExpireTime],
      [
        tokens.transcriptionToken,
        Target.TRANSCRIPTION,
        TokenKind.TRANSCRIPTION,
        tokens.transcriptionExpireTime,
      ],
      [tokens.jitsiToken, Target.JITSI, TokenKind.JITSI, tokens.jitsiExpireTime],
      [tokens.sfuToken, Target.SFU, TokenKind.SFU, tokens.sfuExpireTime],
    ] as const;
    for (const [token, target, kind, expireTime] of kinds) {
      for (const asked of [
        Target.UNSPECIFIED,
        Target.LIVEKIT,
        Target.TRANSCRIPTION,
        Target.JITSI,
        Target.SFU,
      ]) {
        const answer = await service().validateToken({ token, target: asked, roomName: "talk" });
        const belongs = asked === Target.UNSPECIFIED || asked === target;
        expect([kind, asked, answer.valid]).toEqual([kind, asked, belongs]);
        if (belongs)
          expect(answer).toMatchObject({ reason: ValidityReason.OK, kind, expireTime, detail: "" });
        else expect(answer.detail).not.toBe("");
        expect(answer.claims === undefined).toBe(!belongs);
      }
    }
    const refresh = await service().validateToken({ token: tokens.refreshToken });
    expect(refresh).toMatchObject({ valid: true, kind: TokenKind.REFRESH });
    const login = await service().validateToken({ token: server.user("ada") });
    expect(login).toMatchObject({ valid: true, kind: TokenKind.USER, claims: { sub: "ada" } });
  });
});

describe("the answer", () => {
  test("says why and in figures, with the claims of what is signed", async () => {
    const answer = await service().validateToken({
      token: jitsiToken({ exp: now - 40 }),
      target: Target.JITSI,
    });
    expect(answer).toMatchObject({
      valid: false,
      reason: ValidityReason.EXPIRED,
      detail: expect.stringMatching(/^exp passed 4\d s ago; Jitsi allows no leeway$/) as string,
      kind: TokenKind.JITSI,
      claims: { room: "talk" },
    });
    expect(timestampDate(answer.expireTime!).getTime()).toBe((now - 40) * 1000);
    expect(answer.jitsiModeration).toBeUndefined();
  });

  test("says what Prosody's plug-ins make of the bearer, and goes by room and tenant", async () => {
    const ask = (request: { roomName?: string; tenant?: string }, changes = {}) =>
      service().validateToken({ token: jitsiToken(changes), target: Target.JITSI, ...request });
    expect((await ask({ roomName: "TALK" })).jitsiModeration).toMatchObject({
      tokenAffiliation: true,
      tokenModeration: true,
    });
    expect((await ask({ roomName: "other" })).reason).toBe(ValidityReason.ROOM);
    expect((await ask({ roomName: "talk", tenant: "acme" })).reason).toBe(ValidityReason.SUBJECT);
    expect((await ask({ roomName: "talk", tenant: "acme" }, { sub: "acme" })).reason).toBe(ValidityReason.OK);
    expect((await ask({}, { aud: ["jitsi"] })).reason).toBe(ValidityReason.AUDIENCE);
    expect((await ask({}, { iss: "x" })).reason).toBe(ValidityReason.ISSUER);
    expect((await ask({}, { room: undefined })).reason).toBe(ValidityReason.CLAIM);
  });

  test("to a client that sends nothing but a LiveKit token is LiveKit's", async () => {
    const ask = async (changes: object) =>
      (await service().validateToken({ token: liveKitToken(changes) })).reason;
    expect(await ask({})).toBe(ValidityReason.OK);
    expect(await ask({ exp: now - 50 })).toBe(ValidityReason.OK); // LiveKit allows a minute
    expect(await ask({ exp: now - 70 })).toBe(ValidityReason.EXPIRED);
    expect(await ask({ nbf: now + 100 })).toBe(ValidityReason.NOT_YET_VALID);
    expect(await ask({ video: { room: "talk" } })).toBe(ValidityReason.GRANT);
  });

  test("to a forged token tells nothing of it", async () => {
    for (const target of [
      Target.UNSPECIFIED,
      Target.LIVEKIT,
      Target.JITSI,
      Target.SFU,
      Target.TRANSCRIPTION,
    ]) {
      const token = makeToken(
        { ...jitsiClaims(), room: "canary", sub: "canary" },
        header,
        "somebody-else's-secret-of-32-bytes",
      );
      const answer = await service().validateToken({ token, target });
      expect(answer).toMatchObject({ valid: false, kind: TokenKind.UNSPECIFIED });
      expect(answer.claims).toBeUndefined();
      expect(answer.expireTime).toBeUndefined();
      expect(answer.detail).not.toMatch(/canary|\d/);
    }
  });

  test("about a server that is not configured says so, and what to set", async () => {
    const answer = await bare
      .client(TokenService, tokensKey)
      .validateToken({ token: "x", target: Target.JITSI });
    expect(answer).toMatchObject({
      valid: false,
      reason: ValidityReason.TARGET_NOT_CONFIGURED,
      detail: "target: JITSI is not configured; set JITSI_DOMAIN, JITSI_APP_ID and JITSI_APP_SECRET",
    });
  });

  test("about a revoked token says so", async () => {
    const { token } = await service().createTranscriptionToken({
      participantIdentity: "gone",
      roomName: "talk",
    });
    await service().revokeTokens({ selector: { case: "userId", value: "gone" } });
    expect(await service().validateToken({ token })).toMatchObject({
      valid: false,
      reason: ValidityReason.REVOKED,
      claims: { userId: "gone" },
    });
  });
});

test.each(["user", "participant", "service without a scope of its own"])("a %s may ask", async (who) => {
  const credential =
    who === "user"
      ? server.user("ada")
      : who === "participant"
        ? server.participant("ada")
        : await server.service("stats");
  const answer = await server.client(TokenService, credential).validateToken({ token: "nonsense" });
  expect(answer).toMatchObject({ valid: false, reason: ValidityReason.MALFORMED });
});

test.each([
  ["no token", { token: "" }],
  ["more than a token can be", { token: "x".repeat(8193) }],
  ["a room that is too long", { token: "x", roomName: "r".repeat(129) }],
])("%s is an error of the request", async (_, request) => {
  await expect(service().validateToken(request)).rejects.toMatchObject({ code: Code.InvalidArgument });
});

test("nothing of all this was an internal error", () => {
  expect([...server.internalErrors, ...bare.internalErrors]).toEqual([]);
});
