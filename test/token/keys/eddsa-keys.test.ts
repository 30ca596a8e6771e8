import { generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import * as jose from "jose";
import { describe, expect, test } from "vitest";
import { verifyOwnToken } from "../../../src/token/credentials/verify-credential.ts";
import { KeyFileError, readEdDsaKeys } from "../../../src/token/keys/eddsa-keys.ts";
import { issueTranscriptionToken } from "../../../src/token/targets/transcription/issue-token.ts";
import { issueUserToken } from "../../../src/token/users/user-token.ts";
import { makeToken, nowMs, settings, transcriptionClaims, userClaims } from "../make-token.ts";

const pemOf = (key: KeyObject) =>
  key.export({ type: key.type === "private" ? "pkcs8" : "spki", format: "pem" }).toString();
const file = (key: KeyObject, path = "key.pem") => ({ path, pem: pemOf(key) });
const newKey = () => generateKeyPairSync("ed25519");

const [before, present, next] = [newKey(), newKey(), newKey()];
const request = {
  userId: "ada",
  roomName: "room",
  participantIdentity: "ada",
  userType: "host",
  ttlSeconds: 3600,
} as const;
const signedWith = (signing: KeyObject, ...others: KeyObject[]) => ({
  ...settings,
  eddsa: readEdDsaKeys(
    file(signing),
    others.map((key) => file(key)),
  ),
});

async function publicKeys(of: ReturnType<typeof signedWith>) {
  const { keys } = JSON.parse(JSON.stringify({ keys: of.eddsa.published })) as jose.JSONWebKeySet;
  return { keys, keySet: jose.createLocalJWKSet({ keys }) };
}

describe("a transcription token signed with a key of its own", () => {
  test("is verified by another library from what is published, and from nothing secret", async () => {
    const server = signedWith(present.privateKey, next.publicKey);
    const { token } = issueTranscriptionToken(request, server, nowMs);
    const { keys, keySet } = await publicKeys(server);
    const { payload, protectedHeader } = await jose.jwtVerify(token, keySet, {
      algorithms: ["EdDSA"],
      audience: settings.audience,
      currentDate: new Date(nowMs),
    });
    expect(payload).toMatchObject({ userId: "ada", roomName: "room" });
    expect(protectedHeader.kid).toBe(await jose.calculateJwkThumbprint(keys[0]!));
    expect(keys).toHaveLength(2);
    for (const key of keys) {
      expect(Object.keys(key).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x"]);
      expect(key.kid).toBe(await jose.calculateJwkThumbprint(key));
    }
  });

  test("lets in, as one with the shared secret does", () => {
    const server = signedWith(present.privateKey);
    const { token } = issueTranscriptionToken(request, server, nowMs);
    expect(verifyOwnToken(token, server, nowMs)).toMatchObject({ kind: "participant", userId: "ada" });
    expect(verifyOwnToken(makeToken(transcriptionClaims), server, nowMs)).toMatchObject({ userId: "ada" });
    expect(() => verifyOwnToken(token, settings, nowMs)).toThrow("no key has the token's algorithm");
  });

  test("outlives each step of a rotation, on replicas that are a step apart", () => {
    const steps = [
      signedWith(before.privateKey),
      signedWith(before.privateKey, present.publicKey),
      signedWith(present.privateKey, before.publicKey),
      signedWith(present.privateKey),
    ];
    for (const [at, server] of steps.entries()) {
      const { token } = issueTranscriptionToken(request, server, nowMs);
      for (const other of steps.slice(Math.max(0, at - 1), at + 2))
        expect(verifyOwnToken(token, other, nowMs)).toMatchObject({ userId: "ada" });
    }
    const old = issueTranscriptionToken(request, steps[0]!, nowMs).token;
    expect(() => verifyOwnToken(old, steps[3]!, nowMs)).toThrow("the signature does not fit");
  });

  test("is refused when another key signed it, or none of its name", async () => {
    const server = signedWith(present.privateKey);
    const kid = server.eddsa.published[0]?.["kid"];
    const sign = (key: KeyObject, header: object) =>
      new jose.SignJWT(transcriptionClaims).setProtectedHeader({ alg: "EdDSA", ...header }).sign(key);
    for (const token of [
      await sign(next.privateKey, { kid }),
      await sign(next.privateKey, {}),
      await sign(present.privateKey, { kid: "another" }),
    ]) {
      expect(() => verifyOwnToken(token, server, nowMs)).toThrow("the signature does not fit");
    }
    const good = await sign(present.privateKey, { kid });
    expect(verifyOwnToken(good, server, nowMs)).toMatchObject({ userId: "ada" });
  });

  test("is the only thing that the key signs: a login with it is refused", async () => {
    const server = signedWith(present.privateKey);
    const login = await new jose.SignJWT(userClaims)
      .setProtectedHeader({ alg: "EdDSA" })
      .sign(present.privateKey);
    expect(() => verifyOwnToken(login, server, nowMs)).toThrow("a login is signed with the shared secret");
    const { token } = issueUserToken({ userId: "ada", ttlSeconds: 60 }, server, nowMs);
    expect(jose.decodeProtectedHeader(token).alg).toBe("HS256");
  });

  test("is not to be had with the public key as a shared secret", () => {
    const server = signedWith(present.privateKey);
    for (const secret of [pemOf(present.publicKey), server.eddsa.published[0]?.["x"] ?? ""]) {
      const forged = makeToken(transcriptionClaims, { alg: "HS256", typ: "JWT" }, secret);
      expect(() => verifyOwnToken(forged, server, nowMs)).toThrow("the signature does not fit");
    }
  });
});

describe("a key file", () => {
  test("that is named twice, or holds the private half, is published once and without it", () => {
    const { published } = readEdDsaKeys(file(present.privateKey), [
      file(present.publicKey),
      file(before.privateKey),
      file(before.publicKey),
    ]);
    expect(published).toHaveLength(2);
    expect(JSON.stringify(published)).not.toContain('"d"');
  });

  test.each([
    ["is no key", "canary"],
    ["is of another kind", pemOf(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey)],
    ["is of another curve", pemOf(generateKeyPairSync("ed448").privateKey)],
    ["is empty", ""],
  ])("that %s is refused by its name, without its content", (_, pem) => {
    const read = () => readEdDsaKeys({ path: "sign.pem", pem }, []);
    expect(read).toThrow(KeyFileError);
    expect(read).toThrow(/sign\.pem/);
    expect(read).not.toThrow(/canary|BEGIN/);
  });

  test("that signs must be a private one", () => {
    expect(() => readEdDsaKeys(file(present.publicKey, "public.pem"), [])).toThrow(/public\.pem/);
  });
});
