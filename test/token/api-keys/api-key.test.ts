import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Storage } from "../../../src/storage/open-storage.ts";
import {
  describeApiKey,
  makeApiKey,
  matchesApiKey,
  parseApiKey,
} from "../../../src/token/api-keys/api-key.ts";
import { apiKeyScopes } from "../../../src/token/api-keys/api-key-store.ts";
import { verifyCredential } from "../../../src/token/credentials/verify-credential.ts";
import { forEachDatabase } from "../../storage/databases.ts";
import { makeToken, nowMs, settings, transcriptionClaims, userClaims } from "../make-token.ts";

const request = { displayName: "a key", scopes: ["tokens"] } as const;

describe("an API key", () => {
  test("is pk_, 64 random bits, and 256 random bits of secret", () => {
    const keys = Array.from({ length: 100 }, () => makeApiKey(request, nowMs).key);
    for (const key of keys) expect(key).toMatch(/^pk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    expect(new Set(keys.map((key) => key.slice(3, 19))).size).toBe(100);
    expect(new Set(keys.map((key) => key.slice(20))).size).toBe(100);
  });

  test("is stored as a hash, and nothing stored holds the secret", () => {
    const { key, stored } = makeApiKey(request, nowMs);
    const secret = Buffer.from(key.slice(20), "base64url");
    expect(secret).toHaveLength(32);
    expect(Buffer.from(stored.secretHash)).toEqual(createHash("sha256").update(secret).digest());
    expect(stored).toEqual({
      apiKeyId: key.slice(3, 19),
      ...request,
      secretHash: stored.secretHash,
      createTime: new Date(nowMs),
    });
  });

  test("matches its own secret only", () => {
    const { key, stored } = makeApiKey(request, nowMs);
    const { secret } = parseApiKey(key)!;
    expect(matchesApiKey(secret, stored, nowMs)).toBe(true);
    for (let bit = 0; bit < 256; bit++) {
      const other = Buffer.from(secret);
      other[bit >> 3]! ^= 1 << (bit & 7);
      expect(matchesApiKey(other, stored, nowMs)).toBe(false);
    }
    expect(matchesApiKey(secret.subarray(0, 31), stored, nowMs)).toBe(false);
    expect(matchesApiKey(Buffer.alloc(0), stored, nowMs)).toBe(false);
  });

  test("ends with its expiry to the millisecond, and with its revocation", () => {
    const { key, stored } = makeApiKey({ ...request, expireTime: new Date(nowMs + 1000) }, nowMs);
    const { secret } = parseApiKey(key)!;
    expect(matchesApiKey(secret, stored, nowMs + 999)).toBe(true);
    expect(matchesApiKey(secret, stored, nowMs + 1000)).toBe(false);
    expect(matchesApiKey(secret, { ...stored, revokeTime: new Date(nowMs) }, nowMs)).toBe(false);
  });

  test("is parsed whole or not at all", () => {
    const { key } = makeApiKey(request, nowMs);
    expect(parseApiKey(key)).toBeDefined();
    for (let length = 0; length < key.length; length++)
      expect(parseApiKey(key.slice(0, length))).toBeUndefined();
    for (const text of [
      `${key}A`,
      ` ${key}`,
      `${key}\n`,
      `${key}=`,
      key.toUpperCase(),
      key.replace("pk_", "sk_"),
    ]) {
      expect(parseApiKey(text)).toBeUndefined();
    }
    expect(() => describeApiKey(key.slice(0, -1), request, nowMs)).toThrow(TypeError);
  });

  test("whose last character has bits that no byte needs is refused", () => {
    const key = `pk_${"0".repeat(16)}_${Buffer.alloc(32).toString("base64url")}`;
    expect(parseApiKey(key)).toBeDefined();
    expect(parseApiKey(`${key.slice(0, -1)}B`)).toBeUndefined();
  });
});

const none = { check: <C>(caller: C) => caller };

forEachDatabase((_, open) => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await open();
  });
  afterAll(() => storage.close());

  const verify = (credential: string, atMs = nowMs, fixedAnalysisKey?: string) =>
    verifyCredential(
      credential,
      {
        jwt: settings,
        apiKeys: storage.apiKeys,
        revocations: none,
        ...(fixedAnalysisKey !== undefined && { fixedAnalysisKey }),
      },
      atMs,
    );
  const refusal = { name: "TokenError" };

  test("a stored key is a service with the scopes that it was given", async () => {
    for (const scopes of [["stats"], ["tokens", "rooms"], apiKeyScopes] as const) {
      const { key, stored } = makeApiKey({ displayName: "k", scopes }, nowMs);
      await storage.apiKeys.create(stored);
      expect(await verify(key)).toEqual({
        kind: "service",
        apiKeyId: stored.apiKeyId,
        scopes: new Set(scopes),
      });
    }
  });

  test("a revoked key is refused from the very next call on", async () => {
    const { key, stored } = makeApiKey(request, nowMs);
    await storage.apiKeys.create(stored);
    await expect(verify(key)).resolves.toMatchObject({ kind: "service" });
    await storage.apiKeys.revoke(stored.apiKeyId, new Date(nowMs));
    await expect(verify(key)).rejects.toMatchObject(refusal);
  });

  test("an expired key is refused", async () => {
    const { key, stored } = makeApiKey({ ...request, expireTime: new Date(nowMs + 1) }, nowMs);
    await storage.apiKeys.create(stored);
    await expect(verify(key)).resolves.toMatchObject({ kind: "service" });
    await expect(verify(key, nowMs + 1)).rejects.toMatchObject(refusal);
  });

  test("a prefix, an unknown key, another key's secret and half a key are refused alike", async () => {
    const one = makeApiKey(request, nowMs);
    const other = makeApiKey(request, nowMs);
    await storage.apiKeys.create(one.stored);
    await storage.apiKeys.create(other.stored);
    const crossed = one.key.slice(0, 20) + other.key.slice(20);
    const bad = [
      one.key.slice(0, 19),
      one.key.slice(0, 20),
      one.key.slice(0, -1),
      `${one.key}A`,
      crossed,
      "pk_",
      "pk__",
      makeApiKey(request, nowMs).key,
    ];
    for (const key of bad) await expect(verify(key)).rejects.toMatchObject(refusal);
  });

  test("the fixed key of the configuration has scope analysis only, and no prefix of it has any", async () => {
    const fixed = "a-fixed-service-key-of-the-old-backend";
    expect(await verify(fixed, nowMs, fixed)).toMatchObject({
      kind: "service",
      scopes: new Set(["analysis"]),
    });
    for (const key of ["", fixed.slice(0, -1), `${fixed}x`, fixed.toUpperCase()]) {
      await expect(verify(key, nowMs, fixed)).rejects.toMatchObject(refusal);
    }
    await expect(verify(fixed)).rejects.toMatchObject(refusal);
  });

  test("tokens are told apart by what they say", async () => {
    expect(await verify(makeToken(userClaims))).toMatchObject({ kind: "user" });
    expect(await verify(makeToken(transcriptionClaims))).toMatchObject({ kind: "participant" });
    await expect(verify("neither")).rejects.toMatchObject(refusal);
  });
});

test("when the database cannot be asked, the key is neither good nor bad", async () => {
  const apiKeys = { get: () => Promise.reject(new Error("no database")) };
  const { key } = makeApiKey(request, nowMs);
  await expect(verifyCredential(key, { jwt: settings, apiKeys, revocations: none }, nowMs)).rejects.toThrow(
    "no database",
  );
});
