/** Tokens that no issuer should be able to get in with, or nobody in an issuer's name. By the numbers of the classes. */
import { sign } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import * as jose from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startScriptedIssuer } from "../../../fakes/scripted-issuer.ts";
import type { ScriptedIssuer } from "../../../fakes/scripted-issuer.ts";
import { base64url, without } from "../../make-token.ts";
import { ecKey, edKey, rsaKey, signHmac, signOidc } from "./make-oidc-token.ts";
import { openOidcUsers } from "./open-oidc-users.ts";

const audience = "https://parley.example";
const nowMs = Date.parse("2026-01-02T03:04:05Z");
const now = nowMs / 1000;

const keyA = ecKey("a");
const rsaA = rsaKey("rsa");
const keyB = ecKey("b");
const header = { alg: "ES256", typ: "at+jwt", kid: "a" };

let issuerA: ScriptedIssuer;
let issuerB: ScriptedIssuer;
/** Where tokens point to, and nobody may go. */
const elsewhere = createServer((_, response) => {
  visits += 1;
  response.end(JSON.stringify({ keys: [keyB.jwk] }));
});
let elsewhereUrl = "";
let visits = 0;

beforeAll(async () => {
  issuerA = await startScriptedIssuer();
  issuerB = await startScriptedIssuer();
  issuerA.keys = [keyA.jwk, rsaA.jwk];
  issuerB.keys = [keyB.jwk];
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  elsewhereUrl = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await Promise.all([issuerA.stop(), issuerB.stop()]);
  elsewhere.close();
});
beforeEach(() => void (visits = 0));

const open = (
  options: { readonly audience?: string; readonly authorizedParties?: readonly string[] } = {},
) => {
  const issuers = [{ issuer: issuerA.issuer }, { issuer: issuerB.issuer }];
  const opened = openOidcUsers({ issuers, ...(options.authorizedParties ? {} : { audience }), ...options });
  return { ...opened, verdict: (token: string, atMs = nowMs) => opened.verdict(token, atMs) };
};
const claims = () => ({
  iss: issuerA.issuer,
  sub: "ada",
  aud: audience as unknown,
  iat: now,
  exp: now + 3600,
});
const withClaims = (changes: Record<string, unknown>) =>
  signOidc(keyA.privateKey, header, { ...claims(), ...changes });
const withHeader = (changes: Record<string, unknown>) =>
  signOidc(keyA.privateKey, { ...header, ...changes }, claims(), "ES256");

test("a good token is let in, whatever its typ may be", async () => {
  const { verdict } = open();
  expect(await verdict(withClaims({}))).toBe("ok");
  for (const typ of ["JWT", "jwt", "AT+JWT", "application/at+jwt"]) {
    expect(await verdict(withHeader({ typ }))).toBe("ok");
  }
  expect(await verdict(signOidc(keyA.privateKey, { alg: "ES256", kid: "a" }, claims()))).toBe("ok");
  expect(await verdict(signOidc(keyA.privateKey, { alg: "ES256" }, claims()))).toBe("ok");
});

describe("how it is signed", () => {
  test("class 1: alg none, in any writing", async () => {
    const { verdict } = open();
    const asked = issuerA.asked.keys;
    for (const alg of ["none", "None", "nOnE", "NONE", ""]) {
      const token = withHeader({ alg });
      expect(await verdict(token)).toBe("algorithm");
      expect(await verdict(`${token.split(".").slice(0, 2).join(".")}.`)).toBe("algorithm");
    }
    expect(issuerA.asked.keys).toBe(asked); // no key is needed for that
  });

  test("class 2: an empty signature, a missing separator", async () => {
    const { verdict } = open();
    const [head, payload, signature] = withClaims({}).split(".");
    expect(await verdict(`${head}.${payload}.`)).toBe("signature");
    expect(await verdict(`${head}.${payload}`)).toBe("malformed");
    expect(await verdict(`${head}${payload}.${signature}`)).toBe("malformed");
  });

  test("class 3: an edited header, an edited payload", async () => {
    const { verdict } = open();
    const [head, payload, signature] = withClaims({}).split(".");
    const edited = base64url(JSON.stringify({ ...claims(), sub: "eve" }));
    expect(await verdict(`${head}.${edited}.${signature}`)).toBe("signature");
    const other = base64url(JSON.stringify({ ...header, typ: "JWT" }));
    expect(await verdict(`${other}.${payload}.${signature}`)).toBe("signature");
  });

  test("class 4: HS256 with a public key as the secret, with and without white space before it", async () => {
    const { verdict } = open();
    for (const key of [keyA, rsaA]) {
      const pem = key.publicKey.export({ type: "spki", format: "pem" }).toString();
      const der = key.publicKey.export({ type: "spki", format: "der" });
      for (const secret of [pem, pem.trim(), `\n ${pem}`, der, JSON.stringify(key.jwk)]) {
        expect(await verdict(signHmac(secret, { alg: "HS256", typ: "JWT", kid: key.kid }, claims()))).toBe(
          "algorithm",
        );
      }
    }
  });

  test("class 5: HS256 against an RSA key that does not say its algorithm", async () => {
    const { verdict } = open();
    expect(rsaA.jwk["alg"]).toBeUndefined();
    for (const secret of [rsaA.jwk.n!, Buffer.from(rsaA.jwk.n!, "base64url"), ""]) {
      expect(await verdict(signHmac(secret, { alg: "HS256", kid: "rsa" }, claims()))).toBe("algorithm");
    }
    // Nor any other algorithm than the one that such a key has.
    const signed = (alg: string) => signOidc(rsaA.privateKey, { alg, kid: "rsa" }, claims());
    expect(await verdict(signed("RS256"))).toBe("ok");
    for (const alg of ["RS384", "RS512", "PS256", "PS384", "PS512"])
      expect(await verdict(signed(alg))).toBe("algorithm");
  });

  test("class 6: a key of issuer B for a token that says issuer A, and the reverse", async () => {
    const { verdict } = open();
    for (const kid of ["a", "b", undefined]) {
      const head = kid === undefined ? { alg: "ES256" } : { alg: "ES256", kid };
      expect(await verdict(signOidc(keyB.privateKey, head, claims()))).toBe("signature");
      const ofB = { ...claims(), iss: issuerB.issuer };
      expect(await verdict(signOidc(keyA.privateKey, head, ofB))).toBe("signature");
    }
    const good = signOidc(keyB.privateKey, { alg: "ES256", kid: "b" }, { ...claims(), iss: issuerB.issuer });
    expect(await verdict(good)).toBe("ok");
  });

  test("class 8: a key in the header", async () => {
    const { verdict } = open();
    for (const jwk of [keyB.jwk, { kty: "oct", k: base64url("secret") }, null]) {
      const token = signOidc(keyB.privateKey, { ...header, jwk }, claims());
      expect(await verdict(token)).toBe("malformed");
      expect(await verdict(withHeader({ jwk }))).toBe("malformed");
    }
  });

  test("class 9: the address of a key or a certificate in the header is not visited", async () => {
    const { verdict } = open();
    for (const extra of [
      { jku: `${elsewhereUrl}/keys` },
      { x5u: `${elsewhereUrl}/cert.pem` },
      { x5c: [keyB.publicKey.export({ type: "spki", format: "der" }).toString("base64")] },
    ]) {
      expect(await verdict(signOidc(keyB.privateKey, { ...header, kid: "b", ...extra }, claims()))).toBe(
        "malformed",
      );
      expect(await verdict(withHeader(extra))).toBe("malformed");
    }
    expect(visits).toBe(0);
  });

  test.each([
    "../../../../../../dev/null",
    "/../keys",
    "a' or '1'='1",
    "a; drop table users; --",
    "a\0",
    "",
    "k".repeat(10_240),
    "k".repeat(257),
    ["a"],
    { toString: "a" },
    null,
    7,
  ])("class 10: a kid that is none (%#)", async (kid) => {
    const { verdict } = open();
    expect(await verdict(withHeader({ kid }))).toBe("malformed");
  });

  test("class 10: a kid that is a name of every object", async () => {
    const { verdict } = open();
    for (const kid of ["__proto__", "constructor", "toString"]) {
      expect(await verdict(signOidc(keyA.privateKey, { ...header, kid }, claims()))).toBe("signature");
    }
  });

  test("class 12: extensions, known or not", async () => {
    const { verdict } = open();
    for (const extra of [
      { crit: [] },
      { crit: ["x"], x: 1 },
      { crit: ["exp"], exp: now + 60 },
      { crit: null },
      { b64: false },
      { b64: false, crit: ["b64"] },
      { b64: true },
    ]) {
      expect(await verdict(withHeader(extra))).toBe("malformed");
    }
  });

  test("class 13: an algorithm that is not listed, and a signature of zeros", async () => {
    const { verdict } = open();
    for (const alg of [
      "HS384",
      "HS512",
      "ES256K",
      "RS1",
      "Ed448",
      "es256",
      "ML-DSA-44",
      ["ES256"],
      null,
      5,
    ]) {
      expect(await verdict(withHeader({ alg }))).toBe("algorithm");
    }
    expect(await verdict(signOidc(keyA.privateKey, header, claims(), "ES384"))).toBe("signature");
    const input = withClaims({}).split(".").slice(0, 2).join(".");
    for (const bytes of [64, 0, 1, 63, 65, 132]) {
      expect(await verdict(`${input}.${base64url(new Uint8Array(bytes))}`)).toBe("signature");
    }
    // The other encoding of a signature that is good (RFC 7518, section 3.4, wants the plain one).
    const der = sign("sha256", Buffer.from(input), { key: keyA.privateKey, dsaEncoding: "der" });
    expect(await verdict(`${input}.${base64url(der)}`)).toBe("signature");
  });

  test("class 14, 15: an encrypted token, whatever is in it", async () => {
    const { verdict } = open();
    const good = new TextEncoder().encode(withClaims({}));
    const encrypted = await new jose.CompactEncrypt(good)
      .setProtectedHeader({ alg: "ECDH-ES", enc: "A256GCM", cty: "JWT" })
      .encrypt(await jose.importJWK(keyA.jwk, "ECDH-ES"));
    expect(await verdict(encrypted)).toBe("malformed");
  });

  test("class 17, 18, 19: oversize, not canonical, duplicate members", async () => {
    const { verdict } = open();
    const good = withClaims({});
    expect(await verdict(withClaims({ pad: "x".repeat(8192) }))).toBe("malformed");
    expect(await verdict(".".repeat(20_000_000))).toBe("malformed");
    for (const token of [`${good}=`, `${good}\n`, ` ${good}`, good.replace(".", ". ")]) {
      expect(await verdict(token)).toBe("malformed");
    }
    const twice = JSON.stringify(claims()).replace("{", `{"iss":"${issuerB.issuer}",`);
    expect(await verdict(signOidc(keyA.privateKey, header, twice))).toBe("malformed");
    expect(await verdict(signOidc(keyA.privateKey, '{"alg":"none","alg":"ES256","kid":"a"}', claims()))).toBe(
      "malformed",
    );
  });

  test("whatever is done to a good token, it is refused", async () => {
    const { verdict } = open();
    const good = withClaims({});
    const at = fc.integer({ min: 0, max: good.length - 1 });
    const likely = fc.constantFrom(...Array.from("ABCXYZabcxyz0189-_.=+/ \n\0"));
    await fc.assert(
      fc.asyncProperty(at, likely, async (index, character) => {
        fc.pre(good[index] !== character);
        expect(await verdict(good.slice(0, index) + character + good.slice(index + 1))).not.toBe("ok");
        expect(await verdict(good.slice(0, index) + character + good.slice(index))).not.toBe("ok");
        expect(await verdict(good.slice(0, index) + good.slice(index + 1))).not.toBe("ok");
      }),
      { numRuns: 300 },
    );
  });
});

describe("for whom it is", () => {
  test("class 25: aud must be this server's, or hold it", async () => {
    const { verdict } = open();
    for (const aud of [audience, [audience], ["https://issuer.example/userinfo", audience]])
      expect(await verdict(withClaims({ aud }))).toBe("ok");
    for (const aud of [
      "https://other.example",
      `${audience}/`,
      "",
      [],
      ["x"],
      [audience, 7],
      [[audience]],
      null,
      7,
    ]) {
      expect(await verdict(withClaims({ aud }))).toBe("audience");
    }
    expect(await verdict(signOidc(keyA.privateKey, header, without(claims(), "aud")))).toBe("audience");
  });

  test("class 25: where none is configured there must be none", async () => {
    const { verdict } = open({ authorizedParties: ["app"] });
    const bare = { ...without(claims(), "aud"), azp: "app" };
    const signed = (payload: object) => signOidc(keyA.privateKey, header, payload);
    expect(await verdict(signed(bare))).toBe("ok");
    for (const aud of [audience, "", [], null])
      expect(await verdict(signed({ ...bare, aud }))).toBe("audience");
  });

  test("class 26: iss must be one of the issuers, to the letter, and nobody else is asked", async () => {
    const { verdict } = open();
    const upper = issuerA.issuer.replace("http", "HTTP");
    for (const iss of [
      undefined,
      null,
      "",
      [issuerA.issuer],
      upper,
      `${issuerA.issuer}/`,
      elsewhereUrl,
      "__proto__",
    ]) {
      expect(await verdict(withClaims({ iss }))).toBe("issuer");
    }
    expect(visits).toBe(0);
  });

  test("class 29: azp must be one of the authorised parties, in both modes", async () => {
    const authorizedParties = ["https://app.example", "app"];
    const bare = without(claims(), "aud");
    for (const [{ verdict }, payload] of [
      [open({ authorizedParties }), bare],
      [open({ authorizedParties, audience }), claims()],
    ] as const) {
      const azp = (value: unknown) => verdict(signOidc(keyA.privateKey, header, { ...payload, azp: value }));
      for (const party of authorizedParties) expect(await azp(party)).toBe("ok");
      for (const party of ["https://evil.example", "https://app.example/", "APP", "", null, ["app"], 7]) {
        expect(await azp(party)).toBe("audience");
        const withClient = { ...payload, azp: party, client_id: "app" };
        expect(await verdict(signOidc(keyA.privateKey, header, withClient))).toBe("audience");
      }
      expect(await verdict(signOidc(keyA.privateKey, header, payload))).toBe("audience");
      const clientOnly = (value: string) =>
        verdict(signOidc(keyA.privateKey, header, { ...payload, client_id: value }));
      expect(await clientOnly("app")).toBe("ok");
      expect(await clientOnly("other")).toBe("audience");
    }
  });

  test("a server that would take tokens for anybody does not start", () => {
    const issuers = [{ issuer: issuerA.issuer }];
    expect(() => openOidcUsers({ issuers })).toThrow("OIDC_AUDIENCE");
  });
});

describe("class 27: what it is for", () => {
  test.each([
    ["a typ of a refresh token", { typ: "refresh+jwt" }],
    ["a typ of a logout token", { typ: "logout+jwt" }],
    ["a typ of an ID token", { typ: "id+jwt" }],
    ["a typ of proof of possession", { typ: "dpop+jwt" }],
    ["a typ of a security event", { typ: "secevent+jwt" }],
    ["a typ that is no text", { typ: ["JWT"] }],
  ])("%s in the header", async (_, extra) => {
    const { verdict } = open();
    expect(await verdict(withHeader(extra))).toBe("malformed");
  });

  test.each([
    ["an ID token's nonce", { nonce: "n" }],
    ["an ID token's at_hash", { at_hash: "h" }],
    ["an ID token's c_hash", { c_hash: "h" }],
    ["an ID token's s_hash", { s_hash: "h" }],
    ["a logout token's events", { events: { "http://schemas.openid.net/event/backchannel-logout": {} } }],
    ["Cognito's ID token", { token_use: "id" }],
    ["Keycloak's ID token", { typ: "ID" }],
    ["Keycloak's ID token with a nonce", { typ: "ID", nonce: "n" }],
    ["Keycloak's refresh token", { typ: "Refresh" }],
    ["Keycloak's offline token", { typ: "Offline" }],
    ["Keycloak's logout token", { typ: "Logout" }],
    ["an access token with an ID token's at_hash", { typ: "Bearer", at_hash: "h" }],
    ["a kind that is no text", { typ: ["Bearer"] }],
    ["Clerk's session that is not complete", { sts: "pending" }],
    ["a token that is bound to a key", { cnf: { jkt: "thumbprint" } }],
  ])("%s", async (_, extra) => {
    const { verdict } = open();
    expect(await verdict(withClaims(extra))).toBe("claim");
  });

  test.each([
    ["Cognito's access token", { token_use: "access" }],
    ["Keycloak's access token", { typ: "Bearer" }],
    ["Keycloak's access token before 24", { typ: "Bearer", nonce: "n" }],
    ["Clerk's session", { sts: "active", sid: "sess_1", v: 2, fva: [1, -1] }],
  ])("%s is let in", async (_, extra) => {
    const { verdict } = open();
    expect(await verdict(withClaims(extra))).toBe("ok");
  });
});

describe("who it is about", () => {
  test("class 28: sub must be a name", async () => {
    const { verdict } = open();
    for (const sub of [
      "",
      "a\0b",
      "__proto__",
      "a\nb",
      "\u202e",
      "x".repeat(257),
      null,
      1,
      ["ada"],
      undefined,
    ]) {
      expect(await verdict(withClaims({ sub }))).toBe("claim");
    }
    for (const sub of ["auth0|5f7c8ec7c33c6c004bbafe82", "x".repeat(256), "Zoë", "constructor"])
      expect(await verdict(withClaims({ sub }))).toBe("ok");
  });

  test("nobody of the first issuer can call themselves as another issuer's user", async () => {
    const { verdict, verify } = open();
    const ofB = (sub: string) =>
      signOidc(keyB.privateKey, { alg: "ES256", kid: "b" }, { ...claims(), iss: issuerB.issuer, sub });
    const { userId } = await verify(ofB("ada"), nowMs);
    expect(userId).toBe(`oidc:${issuerB.issuer.slice("http://".length).replace(":", "%3A")}:ada`);
    expect(await verdict(withClaims({ sub: userId }))).toBe("claim");
    expect(await verdict(withClaims({ sub: "oidc:" }))).toBe("claim");
    expect(await verdict(ofB("x".repeat(256)))).toBe("claim"); // too long with the issuer before it
    expect((await verify(ofB("oidc:x"), nowMs)).userId).toBe(userId.replace(/ada$/, "oidc:x"));
  });

  test("issuers whose users would have the same ids are not taken", () => {
    for (const [one, other] of [
      ["https://a.example", "http://a.example"],
      ["https://a.example", "https://a.example/"],
    ] as const) {
      const issuers = [{ issuer: one }, { issuer: other }];
      expect(() => openOidcUsers({ issuers, audience })).toThrow("OIDC_ISSUERS");
    }
  });

  test("a name and an e-mail are taken as the issuer says them, and an e-mail that is not verified is not", async () => {
    const { verify } = open();
    const person = async (extra: Record<string, unknown>) => {
      const { displayName, email } = await verify(withClaims(extra), nowMs);
      return { displayName, email };
    };
    const email = "ada@example.com";
    expect(await person({ name: "Ada", email })).toEqual({ displayName: "Ada", email });
    for (const verified of [true, "true"])
      expect(await person({ email, email_verified: verified })).toMatchObject({ email });
    for (const verified of [false, "false", null, 1, "yes"])
      expect(await person({ email, email_verified: verified })).toEqual({});
    expect(await person({ preferred_username: "ada" })).toEqual({ displayName: "ada" });
    expect(await person({ preferred_username: "ada", name: "Ada" })).toEqual({ displayName: "Ada" });
    expect(await person({ name: "", email: "nobody" })).toEqual({});
  });
});

describe("when it is good", () => {
  test("class 20, 21: exp must be there, and be a time", async () => {
    const { verdict } = open();
    for (const exp of [undefined, null, "1767330000", 1e308, -1, [], {}, true]) {
      expect(await verdict(withClaims({ exp }))).toBe("claim");
    }
    expect(
      await verdict(
        signOidc(keyA.privateKey, header, JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999')),
      ),
    ).toBe("malformed");
  });

  test("class 22, 23, 24: it is good from 10 s before to 10 s after its times, to the millisecond", async () => {
    const { verdict } = open();
    const seconds = fc.integer({ min: 1, max: 80_000 });
    await fc.assert(
      fc.asyncProperty(seconds, seconds, fc.constantFrom("iat", "nbf"), async (before, after, name) => {
        const begin = now - before;
        const end = now + after;
        fc.pre(end - begin <= 86_400);
        const token = signOidc(keyA.privateKey, header, {
          ...without(claims(), "iat"),
          [name]: begin,
          exp: end,
        });
        const at = (seconds: number, ms: number) => verdict(token, seconds * 1000 + ms);
        expect(await at(begin - 10, -1)).toBe("not-yet-valid");
        expect(await at(begin - 10, 0)).toBe("ok");
        expect(await at(end + 10, -1)).toBe("ok");
        expect(await at(end + 10, 0)).toBe("expired");
      }),
      { numRuns: 100 },
    );
  });

  test("a token that lives longer than 24 hours is refused", async () => {
    const { verdict } = open();
    const day = 86_400;
    expect(await verdict(withClaims({ exp: now + day }))).toBe("ok");
    expect(await verdict(withClaims({ exp: now + day + 1 }))).toBe("lifetime");
    expect(
      await verdict(signOidc(keyA.privateKey, header, { ...without(claims(), "iat"), exp: now + day + 1 })),
    ).toBe("lifetime");
  });
});

test("Clerk's session tokens are taken for the origins that are authorised (made by hand, as Clerk writes them)", async () => {
  // https://clerk.com/docs/backend-requests/resources/session-tokens, version 2
  const token = signOidc(
    rsaA.privateKey,
    { alg: "RS256", cat: "cl_B7d4PD111AAA", kid: "rsa", typ: "JWT" },
    {
      azp: "https://app.example",
      exp: now + 60,
      fva: [0, -1],
      iat: now,
      iss: issuerA.issuer,
      jti: "f6c6d3a1",
      nbf: now - 10,
      pla: "u:free",
      sid: "sess_2xQ",
      sts: "active",
      sub: "user_2xQ",
      v: 2,
    },
  );
  const { verify } = open({ authorizedParties: ["https://app.example"] });
  expect(await verify(token, nowMs)).toMatchObject({ kind: "user", userId: "user_2xQ" });
  expect(await open({ authorizedParties: ["https://evil.example"] }).verdict(token)).toBe("audience");
});

test("Ed25519 keys, which do not say their algorithm, verify EdDSA", async () => {
  const key = edKey("ed");
  issuerB.keys = [key.jwk];
  const { verdict } = open();
  const token = signOidc(key.privateKey, { alg: "EdDSA", kid: "ed" }, { ...claims(), iss: issuerB.issuer });
  expect(await verdict(token)).toBe("ok");
  issuerB.keys = [keyB.jwk];
});

test("no refusal repeats anything of the token", async () => {
  const { verify } = open();
  const canary = "canary-1f9b";
  for (const token of [
    withClaims({ iss: canary }),
    withClaims({ aud: canary }),
    withClaims({ azp: canary, typ: canary }),
    withClaims({ token_use: canary }),
    withClaims({ sub: `oidc:${canary}` }),
    withHeader({ kid: canary }),
    withHeader({ typ: canary }),
    canary,
  ]) {
    const error = await verify(token, nowMs).then(
      () => undefined,
      (caught: unknown) => caught as Error,
    );
    expect(error?.name).toBe("TokenError");
    expect(error?.message).not.toContain("canary");
    expect(error?.cause).toBeUndefined();
  }
});
