/** What is read from an issuer's documents, and what is passed over. */
import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { discoveryUrl, readDiscovery } from "../../../../src/token/users/oidc/read-discovery.ts";
import { readKeySet } from "../../../../src/token/users/oidc/read-key-set.ts";
import { ecKey, edKey, rsaKey } from "./make-oidc-token.ts";

const algorithmsOf = (...keys: object[]) => readKeySet({ keys }).map(({ alg }) => alg);
const rsa = rsaKey("rsa").jwk;
const ec = ecKey("ec").jwk;

describe("a key", () => {
  test.each([
    ["RSA", rsa, "RS256"],
    ["P-256", ec, "ES256"],
    ["P-384", ecKey("k", "P-384").jwk, "ES384"],
    ["P-521", ecKey("k", "P-521").jwk, "ES512"],
    ["Ed25519", edKey("k").jwk, "EdDSA"],
  ])("that does not say its algorithm has the one of its kind: %s", (_, jwk, alg) => {
    expect(algorithmsOf(jwk)).toEqual([alg]);
  });

  test("that says its algorithm has that one alone", () => {
    for (const alg of ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
      expect(algorithmsOf({ ...rsa, alg })).toEqual([alg]);
    expect(algorithmsOf({ ...ec, alg: "ES256" })).toEqual(["ES256"]);
  });

  test.each<[string, object]>([
    ["a secret", { kty: "oct", k: "c2VjcmV0", alg: "HS256" }],
    ["a secret that says it is none", { kty: "oct", k: "c2VjcmV0", alg: "RS256" }],
    ["a secret without alg", { kty: "oct", k: "c2VjcmV0" }],
    ["a public key for HS256", { ...rsa, alg: "HS256" }],
    ["a public key for none", { ...rsa, alg: "none" }],
    ["a key for encryption", { ...rsa, use: "enc" }],
    ["a key for encryption by its alg", { ...rsa, use: undefined, alg: "RSA-OAEP" }],
    ["an alg of another kind of key", { ...rsa, alg: "ES256" }],
    ["an alg of another curve", { ...ec, alg: "ES384" }],
    ["an alg that is no text", { ...rsa, alg: ["RS256"] }],
    ["a use that is no text", { ...rsa, use: ["sig"] }],
    ["a key that only signs", { ...rsa, key_ops: ["sign"] }],
    ["operations that are no list", { ...rsa, key_ops: "verify" }],
    ["RSA of 1024 bits", rsaKey("k", 1024).jwk],
    ["RSA of 2047 bits", rsaKey("k", 2047).jwk],
    ["RSA with exponent 1", { ...rsa, e: "AQ" }],
    [
      "a private key",
      generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" }),
    ],
    ["a curve that is not used", ecKey("k", "secp256k1").jwk],
    ["Ed448", generateKeyPairSync("ed448").publicKey.export({ format: "jwk" })],
    ["X25519", generateKeyPairSync("x25519").publicKey.export({ format: "jwk" })],
    ["a point that is not on its curve", { ...ec, y: ec.x }],
    ["a kind that is not known", { kty: "AKP", alg: "ML-DSA-44", pub: "AAAA" }],
    ["a kind that is a name of every object", { kty: "__proto__" }],
    ["no kind", { kid: "x" }],
    ["a kid that is no text", { ...ec, kid: 7 }],
  ])("is passed over, and the others are not: %s", (_, jwk) => {
    expect(algorithmsOf({ kid: "other", ...jwk }, edKey("ed").jwk)).toEqual(["EdDSA"]);
  });

  test("that may verify among other things is taken", () => {
    expect(algorithmsOf({ ...rsa, key_ops: ["verify", "sign"] })).toEqual(["RS256"]);
    expect(algorithmsOf({ ...rsa, use: undefined })).toEqual(["RS256"]);
  });
});

describe("a set", () => {
  test("with one kid twice is refused, whatever the keys are for", () => {
    expect(() => readKeySet({ keys: [rsa, { ...ec, kid: rsa["kid"] }] })).toThrow("two keys with one kid");
    expect(() => readKeySet({ keys: [rsa, { kty: "oct", k: "AA", kid: rsa["kid"] }] })).toThrow("kid");
  });

  test("may have several keys without kid", () => {
    const nameless = (jwk: object) => ({ ...jwk, kid: undefined });
    expect(algorithmsOf(nameless(rsa), nameless(ec))).toEqual(["RS256", "ES256"]);
  });
});

describe("discovery", () => {
  test.each([
    ["https://a.example", "https://a.example/.well-known/openid-configuration"],
    ["https://a.example/", "https://a.example/.well-known/openid-configuration"],
    ["https://a.example/realms/b", "https://a.example/realms/b/.well-known/openid-configuration"],
    ["https://a.example/realms/b/", "https://a.example/realms/b/.well-known/openid-configuration"],
  ])("of %s is at %s", (issuer, url) => {
    expect(discoveryUrl(issuer)).toBe(url);
  });

  test("must name the issuer as it is configured, with its slash or without", () => {
    const document = (issuer: string) => ({ issuer, jwks_uri: "https://keys.example/keys" });
    expect(readDiscovery(document("https://a.example/"), "https://a.example/")).toBe(
      "https://keys.example/keys",
    );
    expect(() => readDiscovery(document("https://a.example"), "https://a.example/")).toThrow(
      "another issuer",
    );
    expect(() => readDiscovery(document("https://A.example"), "https://a.example")).toThrow("another issuer");
  });

  test("must not lead from https to http", () => {
    const lead = (issuer: string, jwks_uri: string) => readDiscovery({ issuer, jwks_uri }, issuer);
    expect(() => lead("https://a.example", "http://a.example/keys")).toThrow("without https");
    expect(() => lead("HTTPS://a.example", "HTTP://a.example/keys")).toThrow("without https");
    expect(lead("http://a.example", "http://a.example/keys")).toBe("http://a.example/keys");
    expect(lead("http://a.example", "https://a.example/keys")).toBe("https://a.example/keys");
  });
});
