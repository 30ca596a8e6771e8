/** Which server's judge a token is given to, and that a verdict on a forged one tells nothing of it. */
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { UserCaller } from "../../../src/token/caller.ts";
import { issueRefreshToken, makeFamilyId } from "../../../src/token/refresh/refresh-token.ts";
import { sessionTargets } from "../../../src/token/refresh/refresh-token.ts";
import type { SessionTarget } from "../../../src/token/refresh/refresh-token.ts";
import { privilegesOf } from "../../../src/token/targets/jitsi/choose-privileges.ts";
import { issueJitsiToken } from "../../../src/token/targets/jitsi/issue-token.ts";
import { jitsiPrivateKey, jitsiSecretKey } from "../../../src/token/targets/jitsi/jitsi-settings.ts";
import { judgeToken } from "../../../src/token/targets/judge-token.ts";
import type { JudgeSettings } from "../../../src/token/targets/judge-token.ts";
import { issueLiveKitToken } from "../../../src/token/targets/livekit/issue-token.ts";
import { issueSfuToken } from "../../../src/token/targets/sfu/issue-token.ts";
import { issueTranscriptionToken } from "../../../src/token/targets/transcription/issue-token.ts";
import { TokenError } from "../../../src/token/token-error.ts";
import { issueUserToken } from "../../../src/token/users/user-token.ts";
import { header, makeToken, now, nowMs, secret, settings as jwt } from "../make-token.ts";

const livekit = { url: "wss://x", apiKey: "APIkey", apiSecret: "a-livekit-secret-of-32-bytes-at-least" };
const jitsi = {
  domain: "meet.example.com",
  appId: "app",
  key: jitsiSecretKey("a-jitsi-secret-of-32-bytes-at-least!"),
};
const sfu = { url: "wss://y", jwtSecret: "an-sfu-secret-of-32-bytes-at-least!!" };
const bare: JudgeSettings = { jwt, revocations: { check: (caller) => caller, isRevoked: () => false } };
const all: JudgeSettings = { ...bare, livekit, jitsi, sfu };

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = rsa.privateKey.export({ type: "pkcs8", format: "pem" }) as string;
const jitsiWithKeys = { ...jitsi, key: jitsiPrivateKey({ path: "k", pem }, "key-1") };

const entry = { userId: "ada", roomName: "room", participantIdentity: "ada", userType: "host" } as const;
const jitsiRequest = {
  roomName: "room",
  user: { id: "ada" },
  privileges: privilegesOf("host"),
  ttlSeconds: 60,
};

/** A token of each kind, as Parley makes it. */
function tokensOf(settings: JudgeSettings) {
  const grant = { ...entry, targets: ["livekit"] } as const;
  return {
    user: issueUserToken({ userId: "ada", ttlSeconds: 60 }, settings.jwt, nowMs).token,
    transcription: issueTranscriptionToken({ ...entry, ttlSeconds: 60 }, settings.jwt, nowMs).token,
    refresh: issueRefreshToken({ grant, familyId: makeFamilyId(nowMs), generation: 1 }, settings.jwt, nowMs),
    livekit: issueLiveKitToken({ ...entry, ttlSeconds: 60 }, settings.livekit!, nowMs).token,
    jitsi: issueJitsiToken(jitsiRequest, settings.jitsi!, nowMs).token,
    sfu: issueSfuToken({ ...entry, ttlSeconds: 60 }, settings.sfu!, nowMs).token,
  };
}

const judge = (token: string, target?: SessionTarget, settings = all) =>
  judgeToken(token, target, {}, settings, nowMs);

describe("without a target a token goes to the server that it was made for", () => {
  /** One secret for everything, as small deployments have it: only the claims tell tokens apart. */
  const oneSecret: JudgeSettings = {
    ...all,
    livekit: { ...livekit, apiSecret: secret },
    jitsi: { ...jitsi, key: jitsiSecretKey(secret) },
    sfu: { ...sfu, jwtSecret: secret },
  };

  test.each([
    ["each with its own secret", all],
    ["all with one secret", oneSecret],
    ["with a key pair for Jitsi", { ...all, jitsi: jitsiWithKeys }],
  ])("%s", async (_, settings) => {
    for (const [kind, token] of Object.entries(tokensOf(settings)))
      expect(await judge(token, undefined, settings)).toMatchObject({ reason: "ok", kind });
  });

  test("also when it is expired there", async () => {
    for (const [kind, token] of Object.entries(tokensOf(all)))
      expect(await judgeToken(token, undefined, {}, all, nowMs + 8 * 86_400_000)).toMatchObject({
        reason: "expired",
        kind,
      });
  });

  test("also when its signature does not fit, by what it says", async () => {
    const forged = (claims: object) =>
      judge(makeToken(claims, header, "nobody's-secret-of-32-bytes-at-least"));
    expect((await forged({ iss: "APIkey" })).detail).toBe("the signature does not fit LIVEKIT_API_SECRET");
    expect((await forged({ iss: "app" })).detail).toBe("the signature does not fit JITSI_APP_SECRET");
    expect((await forged({ user_id: "ada" })).detail).toBe("the signature does not fit SFU_JWT_SECRET");
    expect((await forged({ sub: "ada" })).detail).toBe("the signature does not fit");
    expect((await forged({ iss: "app" })).claims).toBeUndefined();
  });

  test("and to Parley itself where it fits nobody, or is none", async () => {
    expect(await judge("nonsense")).toMatchObject({ reason: "malformed" });
    expect(await judge(makeToken({}, { alg: "none" }))).toMatchObject({ reason: "algorithm" });
    const { livekit: ofLiveKit } = tokensOf(all);
    expect(await judge(ofLiveKit, undefined, bare)).toMatchObject({ reason: "signature" });
  });
});

describe("a token of one kind on another server", () => {
  const tokens = tokensOf(all);
  const cells = Object.keys(tokens).flatMap((kind) =>
    sessionTargets.map((target) => [kind, target] as const),
  );
  test.each(cells)("%s at %s", async (kind, target) => {
    const { reason } = await judge(tokens[kind as keyof typeof tokens], target);
    expect(reason === "ok").toBe(kind === target);
  });
});

test.each([
  ["livekit", "target: LIVEKIT is not configured; set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET"],
  ["jitsi", "target: JITSI is not configured; set JITSI_DOMAIN, JITSI_APP_ID and JITSI_APP_SECRET"],
  ["sfu", "target: SFU is not configured; set SFU_URL and SFU_JWT_SECRET"],
] as const)("a server that is not configured, %s, is answered so", async (target, detail) => {
  expect(await judge(tokensOf(all)[target], target, bare)).toEqual({ reason: "not-configured", detail });
});

describe("a login of another issuer", () => {
  const login = `${Buffer.from('{"alg":"RS256","kid":"k"}').toString("base64url")}.${Buffer.from(
    JSON.stringify({ iss: "https://issuer.example.com", sub: "ada", exp: now + 60 }),
  ).toString("base64url")}.c2ln`;
  const asked: string[] = [];
  const withIssuer = (answer: () => Promise<UserCaller>): JudgeSettings => ({
    ...all,
    oidc: {
      verify(token) {
        asked.push(token);
        return answer();
      },
    },
  });
  const good = () =>
    Promise.resolve({
      kind: "user" as const,
      userId: "ada",
      issuer: "https://issuer.example.com",
      subject: "ada",
      expireTime: new Date((now + 60) * 1000),
    });

  test("is good when its issuer's keys say so", async () => {
    expect(await judge(login, undefined, withIssuer(good))).toEqual({
      reason: "ok",
      detail: "",
      kind: "user",
      claims: { iss: "https://issuer.example.com", sub: "ada", exp: now + 60 },
      expireTime: new Date((now + 60) * 1000),
    });
  });

  test("is refused with their reason, and nothing is told of it", async () => {
    const bad = () => Promise.reject(new TokenError("signature", "the signature does not fit"));
    expect(await judge(login, undefined, withIssuer(bad))).toEqual({
      reason: "signature",
      detail: "the signature does not fit",
    });
  });

  test("is not judged when they cannot be had", async () => {
    const gone = () => Promise.reject(new Error("no answer"));
    await expect(judge(login, undefined, withIssuer(gone))).rejects.toThrow("no answer");
  });

  test("is the only token that an issuer is asked about", async () => {
    asked.length = 0;
    const settings = { ...withIssuer(good), jitsi: jitsiWithKeys };
    for (const token of Object.values(tokensOf(settings))) await judge(token, undefined, settings);
    await judge(login, "transcription", settings);
    expect(asked).toEqual([]);
  });

  test("is of no known algorithm where no issuer is configured", async () => {
    expect(await judge(login)).toMatchObject({ reason: "algorithm" });
  });
});

describe("of a forged token", () => {
  const forgery = fc.record({
    alg: fc.constantFrom("HS256", "none", "RS256", "HS512", "canary"),
    typ: fc.constantFrom("JWT", "canary", undefined),
    iss: fc.constantFrom("APIkey", "app", jwt.issuer, "canary", undefined),
    claims: fc.dictionary(
      fc.constantFrom(
        "aud",
        "sub",
        "room",
        "user_id",
        "video",
        "context",
        "exp",
        "nbf",
        "roomName",
        "canary",
      ),
      fc.constantFrom<unknown>("canary", ["canary"], { canary: "canary" }, null, 5, now - 100, now + 100),
    ),
    target: fc.constantFrom(undefined, ...sessionTargets),
    key: fc.constantFrom("nobody's-secret-of-32-bytes-at-least", ""),
  });

  test("the verdict tells nothing but a reason", async () => {
    await fc.assert(
      fc.asyncProperty(forgery, async ({ alg, typ, iss, claims, target, key }) => {
        const token = makeToken({ ...claims, ...(iss !== undefined && { iss }) }, { alg, typ }, key);
        const verdict = await judge(token, target);
        expect(Object.keys(verdict).sort()).toEqual(["detail", "reason"]);
        expect(verdict.reason).not.toBe("ok");
        expect(verdict.detail).not.toMatch(/canary|100 s|min|\bago\b|ahead/);
      }),
      { numRuns: 1000 },
    );
  });
});
