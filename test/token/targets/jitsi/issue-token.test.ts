import { createPublicKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import jsonwebtoken from "jsonwebtoken";
import { describe, expect, test } from "vitest";
import { privilegesForService, privilegesOf } from "../../../../src/token/targets/jitsi/choose-privileges.ts";
import { jitsiFeatures } from "../../../../src/token/targets/jitsi/features.ts";
import { checkJitsiContext, issueJitsiToken } from "../../../../src/token/targets/jitsi/issue-token.ts";
import type { JitsiTokenRequest } from "../../../../src/token/targets/jitsi/issue-token.ts";
import { jitsiPrivateKey, jitsiSecretKey } from "../../../../src/token/targets/jitsi/jitsi-settings.ts";
import type { JitsiSettings } from "../../../../src/token/targets/jitsi/jitsi-settings.ts";
import { now, nowMs } from "../../make-token.ts";

const secret = "a-jitsi-secret-of-32-bytes-at-least!";
const settings: JitsiSettings = { domain: "meet.example.com", appId: "app", key: jitsiSecretKey(secret) };
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = rsa.privateKey.export({ type: "pkcs8", format: "pem" }) as string;
const request: JitsiTokenRequest = {
  roomName: "Daily Talk",
  user: { id: "ada", name: "Ada", email: "ada@example.com", avatar: "https://example.com/ada.png" },
  group: "team",
  privileges: { moderator: true, features: { recording: true, "screen-sharing": false } },
  context: { callee: { name: "x" } },
  ttlSeconds: 7200,
};

/** As jsonwebtoken verifies it, at the time of issue. */
function verified(token: string, key: string | ReturnType<typeof createPublicKey> = secret, alg = "HS256") {
  return jsonwebtoken.verify(token, key, {
    algorithms: [alg as jsonwebtoken.Algorithm],
    audience: "jitsi",
    issuer: "app",
    clockTimestamp: now,
    complete: true,
  });
}

function contextOf(changes: Partial<JitsiTokenRequest>, of = settings): Record<string, unknown> {
  const { payload } = verified(issueJitsiToken({ ...request, ...changes }, of, nowMs).token);
  return (payload as jsonwebtoken.JwtPayload)["context"] as Record<string, unknown>;
}

describe("a Jitsi token", () => {
  test("has the claims of the contract and no others, each in the place where some plug-in reads it", () => {
    const issued = issueJitsiToken(request, settings, nowMs + 999);
    const { header, payload } = verified(issued.token);
    expect(header).toEqual({ alg: "HS256", typ: "JWT" });
    expect(payload).toEqual({
      aud: "jitsi",
      iss: "app",
      sub: "meet.example.com",
      room: "daily%20talk",
      nbf: now - 10,
      exp: now + 7200,
      moderator: true,
      context: {
        callee: { name: "x" },
        user: {
          id: "ada",
          name: "Ada",
          email: "ada@example.com",
          avatar: "https://example.com/ada.png",
          moderator: "true",
          affiliation: "owner",
        },
        group: "team",
        features: { recording: true, "screen-sharing": false },
      },
    });
    expect(issued.expireTime).toEqual(new Date((now + 7200) * 1000));
  });

  test("of one who does not moderate says so in each place", () => {
    const { token } = issueJitsiToken({ ...request, privileges: { moderator: false } }, settings, nowMs);
    const { payload } = verified(token);
    expect(payload).toMatchObject({
      moderator: false,
      context: { user: { moderator: "false", affiliation: "member" } },
    });
    expect((payload as { context: object }).context).not.toHaveProperty("features");
  });

  test("leaves out what is not known, and never holds a null", () => {
    const { roomName, ttlSeconds } = request;
    const { token } = issueJitsiToken(
      { roomName, ttlSeconds, user: {}, privileges: privilegesForService({ features: {} }) },
      settings,
      nowMs,
    );
    expect(verified(token).payload).toMatchObject({
      context: { user: { moderator: "false", affiliation: "member" } },
    });
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{4,8}$/), fc.jsonValue()), (context) => {
        const written = JSON.stringify(contextOf({ context: context }), (_, value: unknown) => {
          expect(value).not.toBeNull();
          return value;
        });
        expect(JSON.parse(written)).toMatchObject({ user: { id: "ada" } });
      }),
    );
  });

  test("keeps what a custom context holds besides nulls, at any depth", () => {
    const context = { deep: { a: null, b: [1, null, { c: null, d: "x" }], e: false, f: 0, g: "" } };
    expect(contextOf({ context })["deep"]).toEqual({ b: [1, { d: "x" }], e: false, f: 0, g: "" });
  });

  test("is Parley's in what a custom context would overwrite", () => {
    const context = { user: { moderator: "true" }, group: "x", features: {} };
    expect(contextOf({ context })).toMatchObject({ user: { id: "ada" }, group: "team" });
  });

  test("is for the tenant where there is one, as its URL is", () => {
    const issued = issueJitsiToken(request, { ...settings, tenant: "acme" }, nowMs);
    expect(verified(issued.token).payload).toMatchObject({ sub: "acme" });
    expect(issued.url).toBe(`https://meet.example.com/acme/Daily%20Talk?jwt=${issued.token}`);
  });

  test("comes in the URL of its meeting, in which every name is encoded", () => {
    for (const [roomName, path] of [
      ["Daily Talk", "Daily%20Talk"],
      ["Ärger", "%C3%84rger"],
      ["a~b_c-d.e", "a~b_c-d.e"],
    ] as const) {
      const { token, url } = issueJitsiToken({ ...request, roomName }, settings, nowMs);
      expect(url).toBe(`https://meet.example.com/${path}?jwt=${token}`);
      expect(new URL(url).searchParams.get("jwt")).toBe(token);
    }
  });

  test("is not made for `*`, nor for what Jitsi would make another room of", () => {
    for (const roomName of ["*", "a*", "＊", "a/b", "a?b", "[a-z]+", "..", "a&b"]) {
      expect(() => issueJitsiToken({ ...request, roomName }, settings, nowMs)).toThrow(
        /^room_name: expected/,
      );
    }
  });
});

describe("a Jitsi token by RS256", () => {
  const key = jitsiPrivateKey({ path: "key.pem", pem }, "key-1");

  test("names the key and is verified with its public half", () => {
    const { token } = issueJitsiToken(request, { ...settings, key }, nowMs);
    const { header } = verified(
      token,
      createPublicKey(rsa.publicKey.export({ type: "spki", format: "pem" })),
      "RS256",
    );
    expect(header).toEqual({ alg: "RS256", typ: "JWT", kid: "key-1" });
    expect(() => verified(token)).toThrow();
  });

  test("for 8x8 is what its client asks for: its issuer, the tenant as subject, and always features", () => {
    const tenant = "vpaas-magic-cookie-0123456789abcdef";
    const jaas: JitsiSettings = {
      domain: "8x8.vc",
      appId: "chat",
      tenant,
      key: jitsiPrivateKey({ path: "key.pem", pem }, `${tenant}/4f4910`),
    };
    for (const moderator of [true, false]) {
      const { token, url } = issueJitsiToken(
        { ...request, privileges: privilegesForService({ moderator, features: {} }) },
        jaas,
        nowMs,
      );
      const { header, payload } = jsonwebtoken.decode(token, { complete: true })!;
      expect(header.kid).toBe(`${tenant}/4f4910`);
      expect(payload).toMatchObject({ aud: "jitsi", iss: "chat", sub: tenant });
      const { features } = (payload as { context: { features: Record<string, boolean> } }).context;
      expect(Object.keys(features)).toEqual([...jitsiFeatures]);
      expect(features["recording"]).toBe(moderator);
      expect(url).toMatch(new RegExp(`^https://8x8\\.vc/${tenant}/Daily%20Talk\\?jwt=`));
    }
    const { token } = issueJitsiToken({ ...request, privileges: privilegesOf("guest") }, jaas, nowMs);
    const payload = jsonwebtoken.decode(token) as unknown as {
      context: { features: Record<string, boolean> };
    };
    expect(payload.context.features["screen-sharing"]).toBe(false);
  });

  test.each([
    ["no PEM", "nonsense"],
    ["a public key", rsa.publicKey.export({ type: "spki", format: "pem" }) as string],
    [
      "a short key",
      generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({
        type: "pkcs8",
        format: "pem",
      }) as string,
    ],
    [
      "a key of another kind",
      generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    ],
  ])("is not made with %s, of whose content nothing is told", (_, bad) => {
    expect(() => jitsiPrivateKey({ path: "/keys/jitsi.pem", pem: bad }, "k")).toThrow(
      expect.objectContaining({
        name: "KeyFileError",
        message: expect.stringMatching(/^expected an RSA .*; \/keys\/jitsi\.pem holds/) as string,
      }),
    );
  });
});

describe("a custom context", () => {
  test.each(["user", "group", "features", "room"])("may not hold %s", (key) => {
    expect(() => checkJitsiContext({ [key]: { regex: true } })).toThrow(
      expect.objectContaining({ code: "invalid", message: `context.${key}: Parley writes it itself` }),
    );
  });

  test("may be of 16 KiB of JSON, and no more", () => {
    const of = (bytes: number) => ({ a: "x".repeat(bytes - '{"a":""}'.length) });
    expect(() => checkJitsiContext(of(16 * 1024))).not.toThrow();
    expect(() => checkJitsiContext(of(16 * 1024 + 1))).toThrow(/^context: expected at most 16384 bytes/);
    expect(() => checkJitsiContext({ a: "é".repeat(8190) })).toThrow(/^context: /);
  });
});
