import { createSign, generateKeyPairSync } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import * as jose from "jose";
import { describe, expect, test } from "vitest";
import { clockSkewSeconds, maxTokenBytes } from "../../../src/token/jwt/verify-jwt.ts";
import { issueLiveKitToken } from "../../../src/token/targets/livekit/issue-token.ts";
import { verifyOwnToken } from "../../../src/token/credentials/verify-credential.ts";
import {
  base64url,
  header,
  makeToken,
  now,
  nowMs,
  secret,
  settings,
  signParts,
  transcriptionClaims,
  userClaims,
  without,
} from "../make-token.ts";

const good = makeToken(transcriptionClaims);
const [goodHeader = "", goodPayload = "", goodSignature = ""] = good.split(".");
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });

/** "ok", or the code of the refusal. Anything but a TokenError fails the test. */
function verdict(token: string, atMs = nowMs): string {
  try {
    verifyOwnToken(token, settings, atMs);
    return "ok";
  } catch (error) {
    expect(error).toMatchObject({ name: "TokenError" });
    return (error as { code: string }).code;
  }
}

function withClaims(changes: Record<string, unknown>): string {
  return makeToken({ ...transcriptionClaims, ...changes });
}

function withHeader(changes: Record<string, unknown>): string {
  return makeToken(transcriptionClaims, { ...header, ...changes });
}

function signedBy(algorithm: "RS256" | "ES256", payload: unknown): string {
  const input = `${base64url(JSON.stringify({ alg: algorithm, typ: "JWT" }))}.${base64url(JSON.stringify(payload))}`;
  const key = algorithm === "RS256" ? rsa.privateKey : ec.privateKey;
  const signature = createSign("sha256").update(input).sign({ key, dsaEncoding: "ieee-p1363" });
  return `${input}.${signature.toString("base64url")}`;
}

test("good tokens are let in", () => {
  expect(verifyOwnToken(good, settings, nowMs)).toMatchObject({ kind: "participant", roomName: "room" });
  expect(verifyOwnToken(makeToken(userClaims), settings, nowMs)).toMatchObject({
    kind: "user",
    userId: "ada",
  });
});

describe("the algorithm is pinned", () => {
  test.each([
    "none",
    "None",
    "nOnE",
    "NONE",
    "",
    "hs256",
    "HS384",
    "HS512",
    "RS256",
    "ES256",
    "EdDSA",
    "PS256",
  ])("alg %j is refused, signed or not", (alg) => {
    const token = withHeader({ alg });
    expect(verdict(token)).toBe("algorithm");
    expect(verdict(`${token.split(".").slice(0, 2).join(".")}.`)).toBe("algorithm");
  });

  test.each([[["HS256"]], [null], [256], [{}], [true]])("alg %j is refused", (alg) => {
    expect(verdict(withHeader({ alg }))).toBe("algorithm");
  });

  test("a header without alg is refused", () => {
    expect(verdict(makeToken(transcriptionClaims, { typ: "JWT" }))).toBe("algorithm");
  });

  test("tokens signed with a private key are refused", () => {
    expect(verdict(signedBy("RS256", transcriptionClaims))).toBe("algorithm");
    expect(verdict(signedBy("ES256", transcriptionClaims))).toBe("algorithm");
  });

  test("ES256 with r and s zero is refused", () => {
    const head = base64url('{"alg":"ES256","typ":"JWT"}');
    expect(verdict(`${head}.${goodPayload}.${base64url(new Uint8Array(64))}`)).toBe("algorithm");
  });

  test("HS384 and HS512 with the right secret are refused", async () => {
    for (const alg of ["HS384", "HS512"]) {
      const key = new TextEncoder().encode(secret.repeat(2));
      const token = await new jose.SignJWT(transcriptionClaims).setProtectedHeader({ alg }).sign(key);
      expect(verdict(token)).toBe("algorithm");
    }
  });
});

describe("the signature is checked", () => {
  test("an empty one is refused", () => {
    expect(verdict(`${goodHeader}.${goodPayload}.`)).toBe("signature");
  });

  test("a shortened or lengthened one is refused", () => {
    const bytes = Buffer.from(goodSignature, "base64url");
    for (const changed of [
      bytes.subarray(0, 31),
      bytes.subarray(0, 1),
      Buffer.concat([bytes, Buffer.alloc(1)]),
    ]) {
      expect(verdict(`${goodHeader}.${goodPayload}.${base64url(changed)}`)).toBe("signature");
    }
  });

  test("an edited payload or header is refused", () => {
    const payload = base64url(JSON.stringify({ ...transcriptionClaims, userType: "VIEWER" }));
    expect(verdict(`${goodHeader}.${payload}.${goodSignature}`)).toBe("signature");
    const head = base64url(JSON.stringify({ typ: "JWT", alg: "HS256" }));
    expect(verdict(`${head}.${goodPayload}.${goodSignature}`)).toBe("signature");
  });

  test.each([
    "another-secret-of-more-than-thirty-two-bytes",
    "",
    secret.slice(1),
    secret.toUpperCase(),
    ` ${secret}`,
  ])("the secret %j is refused", (key) => {
    expect(verdict(makeToken(transcriptionClaims, header, key))).toBe("signature");
  });

  test("a public key as the secret is refused, with and without white space before it", () => {
    const pem = rsa.publicKey.export({ type: "spki", format: "pem" }).toString();
    const jwk = JSON.stringify(rsa.publicKey.export({ format: "jwk" }));
    for (const key of [pem, `\n ${pem}`, pem.trim(), jwk]) {
      expect(verdict(makeToken(transcriptionClaims, header, key))).toBe("signature");
    }
  });

  test("the previous secret is let in, one before it is not", () => {
    const both = { ...settings, previousSecret: "the-secret-before-this-one-in-32-bytes" };
    const before = makeToken(transcriptionClaims, header, both.previousSecret);
    expect(verifyOwnToken(before, both, nowMs)).toMatchObject({ kind: "participant" });
    expect(verifyOwnToken(good, both, nowMs)).toMatchObject({ kind: "participant" });
    expect(verdict(before)).toBe("signature");
  });
});

describe("no key is taken from the token", () => {
  const attacker = "the-attackers-own-secret-in-32-bytes!!";
  const jwk = { kty: "oct", k: base64url(attacker), alg: "HS256", kid: "x" };
  test.each([
    ["jwk", { jwk }],
    ["jku", { jku: "http://127.0.0.1:9/jwks.json" }],
    ["x5u", { x5u: "http://127.0.0.1:9/cert.pem" }],
    ["x5c", { x5c: [base64url(rsa.publicKey.export({ type: "spki", format: "der" }))] }],
    ["a kid that climbs to an empty file", { kid: "../../../../../../dev/null" }],
    ["a kid with SQL", { kid: "x' UNION SELECT 'the-attackers-own-secret-in-32-bytes!!' --" }],
    ["a kid that is not a text", { kid: { toString: "x" } }],
  ])("%s", (_, extra) => {
    for (const key of [attacker, "", secret]) {
      expect(verdict(makeToken(transcriptionClaims, { ...header, ...extra }, key))).toBe("malformed");
    }
  });

  test.each(["2026-11", "/+Zk0=", "a--b", "a//b"])(
    "a kid that names no key, %s, is let through to the signature, which decides",
    (kid) => {
      const named = { ...header, kid };
      expect(verdict(makeToken(transcriptionClaims, named))).toBe("ok");
      expect(verdict(makeToken(transcriptionClaims, named, attacker))).toBe("signature");
    },
  );

  test("a kid of 10 kB is refused before anything is parsed", () => {
    expect(verdict(withHeader({ kid: "k".repeat(10_240) }))).toBe("malformed");
  });
});

describe("the header holds no surprise", () => {
  test.each([
    ["an empty crit", { crit: [] }],
    ["an unknown crit", { crit: ["exp"], exp: 1 }],
    ["crit that is not a list", { crit: null }],
    ["b64:false", { b64: false }],
    ["b64:false in crit", { b64: false, crit: ["b64"] }],
    ["typ of an access token", { typ: "at+jwt" }],
    ["typ of a refresh token", { typ: "refresh+jwt" }],
    ["typ null", { typ: null }],
    ["typ list", { typ: ["JWT"] }],
    ["typ JWE", { typ: "JWE" }],
  ])("%s is refused", (_, extra) => {
    expect(verdict(withHeader(extra))).toBe("malformed");
  });

  test("no typ at all is let in, as other libraries write it", () => {
    expect(verdict(makeToken(transcriptionClaims, { alg: "HS256" }))).toBe("ok");
  });

  test.each([
    "[]",
    "null",
    '"HS256"',
    "1",
    "{",
    "",
    '{"alg":"HS256","alg":"HS256"}',
    '{"alg":"none","alg":"HS256"}',
  ])("header %s is refused", (head) => {
    expect(verdict(makeToken(transcriptionClaims, head))).toBe("malformed");
  });
});

describe("only the compact form in three canonical parts", () => {
  test.each([
    ["nothing", ""],
    ["a dot", "."],
    ["two dots", ".."],
    ["no separator", goodHeader + goodPayload + goodSignature],
    ["one separator", `${goodHeader}.${goodPayload}`],
    ["four parts", `${good}.`],
    ["a part before", `.${good}`],
    ["padding after the signature", `${good}=`],
    ["padding after the header", `${goodHeader}=.${goodPayload}.${goodSignature}`],
    ["a line end", `${good}\n`],
    ["a space before", ` ${good}`],
    ["a space within", signParts(goodHeader, ` ${goodPayload}`)],
    ["plain base64", `${goodHeader}.${goodPayload}.${goodSignature.slice(0, -2)}+/`],
    ["a NUL", `${good}\0`],
    ["full-width letters", good.replace("e", "\uff45")],
    [
      "JSON serialization, flattened",
      JSON.stringify({ protected: goodHeader, payload: goodPayload, signature: goodSignature }),
    ],
    [
      "JSON serialization, general",
      JSON.stringify({
        payload: goodPayload,
        signatures: [{ protected: goodHeader, signature: goodSignature }],
      }),
    ],
  ])("%s is refused", (_, token) => {
    expect(verdict(token)).toBe("malformed");
  });

  test("bits that no byte needs are refused", () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = alphabet.indexOf(goodSignature.at(-1) ?? "");
    for (const bits of [1, 2, 3]) {
      const other = goodSignature.slice(0, -1) + (alphabet[last ^ bits] ?? "");
      expect(Buffer.from(other, "base64url")).toEqual(Buffer.from(goodSignature, "base64url"));
      expect(verdict(`${goodHeader}.${goodPayload}.${other}`)).toBe("malformed");
    }
  });

  test("bits that no byte needs in the payload are refused, although the signature fits", () => {
    const payload = base64url(JSON.stringify({ ...transcriptionClaims, pad: "" }));
    const text = payload.length % 4 === 0 ? base64url(`${JSON.stringify(transcriptionClaims)} `) : payload;
    expect(text.length % 4).not.toBe(0);
    const changed = text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1);
    expect(Buffer.from(changed, "base64url")).toEqual(Buffer.from(text, "base64url"));
    expect(verdict(signParts(goodHeader, changed))).toBe("malformed");
  });

  test("encrypted tokens are refused", async () => {
    const key = new TextEncoder().encode("0123456789abcdef0123456789abcdef");
    const plain = new TextEncoder().encode(good);
    const direct = await new jose.CompactEncrypt(plain)
      .setProtectedHeader({ alg: "dir", enc: "A256GCM", cty: "JWT" })
      .encrypt(key);
    expect(verdict(direct)).toBe("malformed");
    const costly = base64url('{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"AAAA"}');
    expect(verdict(`${costly}.AAAA.AAAA.AAAA.AAAA`)).toBe("malformed");
    const bomb = base64url(deflateRawSync(Buffer.alloc(1_000_000)));
    expect(verdict(`${base64url('{"alg":"dir","enc":"A128GCM","zip":"DEF"}')}..AAAA.${bomb}.AAAA`)).toBe(
      "malformed",
    );
  });

  test("more than 8 KiB is refused, even when it is signed", () => {
    const fill = (bytes: number) => withClaims({ pad: "x".repeat(bytes) });
    const room = Math.floor(((maxTokenBytes - good.length - 20) * 3) / 4);
    expect(fill(room).length).toBeLessThanOrEqual(maxTokenBytes);
    expect(verdict(fill(room))).toBe("ok");
    expect(verdict(fill(room + 100))).toBe("malformed");
    expect(verdict("é".repeat(maxTokenBytes / 2 + 1))).toBe("malformed");
  });

  test("20 million dots are refused", () => {
    expect(verdict(".".repeat(20_000_000))).toBe("malformed");
  });
});

describe("the payload is one strict JSON object", () => {
  test.each([
    "",
    "[]",
    "null",
    '"text"',
    "1",
    "{",
    JSON.stringify([transcriptionClaims]),
    `${JSON.stringify(transcriptionClaims)},`,
    JSON.stringify(transcriptionClaims).replace("}", ',"userType":"HOST"}'),
    JSON.stringify(transcriptionClaims).replace("}", `,"userType"${" ".repeat(40)}:"VIEWER"}`),
    JSON.stringify(transcriptionClaims).replace("}", String.raw`,"\u0065xp":99999999999}`),
    JSON.stringify(transcriptionClaims).replace("}", ',"x":{"a":[{"b":1,"b":2}]}}'),
    `\ufeff${JSON.stringify(transcriptionClaims)}`,
  ])("%s is refused", (payload) => {
    expect(verdict(makeToken(payload))).toBe("malformed");
  });

  test("bytes that are not UTF-8 are refused", () => {
    const bytes = Buffer.from(JSON.stringify({ ...transcriptionClaims, pad: "\x7f" }));
    bytes[bytes.indexOf(0x7f)] = 0xff;
    expect(verdict(signParts(goodHeader, base64url(bytes)))).toBe("malformed");
  });
});

describe("times", () => {
  test.each([
    ["exp", 1e308],
    ["exp", "99999999999"],
    ["exp", null],
    ["exp", true],
    ["exp", [now + 60]],
    ["exp", -1],
    ["exp", {}],
    ["exp", 253_402_300_800],
    ["nbf", "0"],
    ["nbf", null],
    ["iat", "0"],
    ["iat", null],
    ["iat", -1],
  ])("%s of %j is refused", (name, value) => {
    expect(verdict(withClaims({ [name]: value }))).toBe("claim");
  });

  test("exp beyond all numbers is refused", () => {
    const payload = JSON.stringify(transcriptionClaims).replace(/"exp":\d+/, '"exp":1e999');
    expect(verdict(makeToken(payload))).toBe("malformed");
  });

  test("exp is required", () => {
    expect(verdict(makeToken(without(transcriptionClaims, "exp")))).toBe("claim");
    expect(verdict(makeToken(`{"__proto__":{"exp":${now + 60}}}`))).toBe("claim");
  });

  test("a lifetime over 24 hours is refused, from iat, from nbf, and from now", () => {
    const day = 24 * 3600;
    expect(verdict(withClaims({ exp: now + day }))).toBe("ok");
    expect(verdict(withClaims({ exp: now + day + 1 }))).toBe("lifetime");
    expect(verdict(withClaims({ exp: now + day - 100, iat: now - 101 }))).toBe("lifetime");
    const noIat = without(transcriptionClaims, "iat");
    expect(verdict(makeToken({ ...noIat, exp: now + day + 1 }))).toBe("lifetime");
    const onlyExp = without(transcriptionClaims, "iat", "nbf");
    expect(verdict(makeToken({ ...onlyExp, exp: now + day }))).toBe("ok");
    expect(verdict(makeToken({ ...onlyExp, exp: now + day + 1 }))).toBe("lifetime");
  });

  test("both sides of each tolerance, to the millisecond", () => {
    const skewMs = clockSkewSeconds * 1000;
    expect(skewMs).toBe(10_000);
    const { exp } = transcriptionClaims;
    expect(verdict(good, exp * 1000 + skewMs - 1)).toBe("ok");
    expect(verdict(good, exp * 1000 + skewMs)).toBe("expired");
    expect(verdict(good, nowMs - skewMs)).toBe("ok");
    expect(verdict(good, nowMs - skewMs - 1)).toBe("not-yet-valid");
    expect(verdict(withClaims({ nbf: now + clockSkewSeconds }))).toBe("ok");
    expect(verdict(withClaims({ nbf: now + clockSkewSeconds + 0.001 }))).toBe("not-yet-valid");
    expect(verdict(withClaims({ iat: now + clockSkewSeconds }))).toBe("ok");
    expect(verdict(withClaims({ iat: now + clockSkewSeconds + 0.001 }))).toBe("not-yet-valid");
  });

  test("hold for any moment and any times", () => {
    const second = fc.integer({ min: -100, max: 100 });
    fc.assert(
      fc.property(second, second, second, second, (exp, nbf, iat, at) => {
        const token = withClaims({ exp: now + exp, nbf: now + nbf, iat: now + iat });
        const isGood = at < exp + 10 && nbf <= at + 10 && iat <= at + 10;
        expect(verdict(token, (now + at) * 1000) === "ok").toBe(isGood);
      }),
    );
  });
});

describe("issuer and audience", () => {
  test.each([
    ["Interview-Backend"],
    ["interview-backend/"],
    [" interview-backend"],
    ["interview-backend\0"],
    [""],
    [null],
    [["interview-backend"]],
    ["transcription-service"],
  ])("issuer %j is refused", (iss) => {
    expect(verdict(withClaims({ iss }))).toBe("issuer");
  });
  test("no issuer is refused", () => {
    expect(verdict(makeToken(without(transcriptionClaims, "iss")))).toBe("issuer");
  });
  test.each([
    ["jitsi"],
    ["Parley"],
    ["transcription-service "],
    [""],
    [null],
    [["transcription-service"]],
    [["transcription-service", "parley"]],
    [{}],
  ])("audience %j is refused", (aud) => {
    expect(verdict(withClaims({ aud }))).toBe("audience");
  });
  test("no audience is refused", () => {
    expect(verdict(makeToken(without(transcriptionClaims, "aud")))).toBe("audience");
  });
});

describe("tokens for something else", () => {
  const livekit = { url: "ws://localhost", apiKey: settings.issuer, apiSecret: secret };
  test.each([
    [
      "a LiveKit token, even where key and secret are Parley's own",
      issueLiveKitToken(
        { roomName: "room", participantIdentity: "ada", userType: "host", ttlSeconds: 60 },
        livekit,
        nowMs,
      ).token,
      "audience",
    ],
    [
      "a LiveKit webhook token",
      makeToken({ iss: settings.issuer, exp: now + 60, sha256: "AAAA" }),
      "audience",
    ],
    ["a Jitsi token", makeToken({ ...userClaims, aud: "jitsi", room: "*" }), "audience"],
    ["an SFU token", makeToken({ user_id: "ada", room: "room", iat: now, exp: now + 60 }), "issuer"],
    ["a refresh token", makeToken(userClaims, { ...header, typ: "refresh+jwt" }), "malformed"],
    ["an ID token", makeToken({ ...userClaims, aud: "client-id", nonce: "x" }), "audience"],
    [
      "claims of a user under the audience of transcription",
      makeToken({ ...userClaims, aud: settings.audience }),
      "claim",
    ],
    ["claims of a participant under the audience of users", withClaims({ aud: "parley" }), "claim"],
  ])("%s is refused", (_, token, code) => {
    expect(verdict(token)).toBe(code);
  });
});

describe("names in a token", () => {
  const bad = ["", "a\0b", "__proto__", "a\nb", "\u202e", "x".repeat(257), null, 1, ["ada"], { name: "ada" }];
  test.each(["userId", "roomName", "participantIdentity", "jti"] as const)("%s must be one", (name) => {
    for (const value of bad) expect(verdict(withClaims({ [name]: value }))).toBe("claim");
    expect(verdict(makeToken(without(transcriptionClaims, name)))).toBe("claim");
    for (const value of ["x".repeat(256), "\u{1f600}".repeat(256), "Zoë Müller", "constructor"]) {
      expect(verdict(withClaims({ [name]: value }))).toBe("ok");
    }
  });
  test("sub must be one", () => {
    for (const sub of bad) expect(verdict(makeToken({ ...userClaims, sub }))).toBe("claim");
    expect(verdict(makeToken(without(userClaims, "sub")))).toBe("claim");
  });
  test("userType is one of four, and a guest's where there is none", () => {
    for (const userType of ["ADMIN", "host", "", null, ["HOST"], "__proto__", "toString"]) {
      expect(verdict(withClaims({ userType }))).toBe("claim");
    }
    const none = makeToken(without(transcriptionClaims, "userType"));
    expect(verifyOwnToken(none, settings, nowMs)).toMatchObject({ userType: "guest" });
  });
  test("a display name that is none is left out and locks nobody out", () => {
    for (const name of ["", "a\0b", null, 7, "x".repeat(300)]) {
      expect(verifyOwnToken(makeToken({ ...userClaims, name }), settings, nowMs)).not.toHaveProperty(
        "displayName",
      );
    }
    expect(verifyOwnToken(makeToken({ ...userClaims, name: "Ada" }), settings, nowMs)).toMatchObject({
      displayName: "Ada",
    });
  });
});

describe("whatever is done to a good token, it is refused", () => {
  const char = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));
  const likely = fc.constantFrom(...Array.from("ABCXYZabcxyz0189-_.=+/ \n\0"));
  const at = fc.integer({ min: 0, max: good.length - 1 });
  const refused = (token: string) => {
    expect(verdict(token)).not.toBe("ok");
  };

  test("one character changed", () => {
    fc.assert(
      fc.property(at, fc.oneof(likely, char), (index, replacement) => {
        fc.pre(good[index] !== replacement);
        refused(good.slice(0, index) + replacement + good.slice(index + 1));
      }),
      { numRuns: 2000 },
    );
  });
  test("one character put in or taken out", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: good.length }), fc.oneof(likely, char), (index, extra) => {
        refused(good.slice(0, index) + extra + good.slice(index));
        if (index < good.length) refused(good.slice(0, index) + good.slice(index + 1));
      }),
      { numRuns: 1000 },
    );
  });
  test("any text at all", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), refused));
    fc.assert(
      fc.property(fc.array(fc.base64String(), { maxLength: 5 }), (parts) => refused(parts.join("."))),
    );
  });
});

test("no refusal repeats anything of the token", () => {
  const canary = "canary-1f9b";
  for (const token of [
    withClaims({ iss: canary }),
    withClaims({ aud: canary }),
    withClaims({ userType: canary }),
    withHeader({ alg: canary }),
    withHeader({ typ: canary }),
    makeToken(`{"${canary}":1,"${canary}":2}`),
    makeToken(`{"a":${canary}}`),
    canary,
  ]) {
    const error = (() => {
      try {
        verifyOwnToken(token, settings, nowMs);
      } catch (caught) {
        return caught as Error;
      }
      return undefined;
    })();
    expect(error?.message).not.toContain("canary");
    expect(error?.cause).toBeUndefined();
  }
});
