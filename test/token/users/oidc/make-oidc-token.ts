/** Keys and tokens of issuers made by hand, good and bad, so that tests do not rest on the code that they test. */
import { constants, createHmac, generateKeyPairSync, sign } from "node:crypto";
import type { JsonWebKey, KeyObject } from "node:crypto";
import { base64url } from "../../make-token.ts";

export interface TestKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** As an issuer publishes it, without `alg`. */
  readonly jwk: JsonWebKey;
}

export function ecKey(kid: string, namedCurve = "P-256"): TestKey {
  return withJwk(kid, generateKeyPairSync("ec", { namedCurve }));
}

export function rsaKey(kid: string, modulusLength = 2048): TestKey {
  return withJwk(kid, generateKeyPairSync("rsa", { modulusLength }));
}

export function edKey(kid: string): TestKey {
  return withJwk(kid, generateKeyPairSync("ed25519"));
}

function withJwk(kid: string, pair: { privateKey: KeyObject; publicKey: KeyObject }): TestKey {
  return { kid, ...pair, jwk: { ...pair.publicKey.export({ format: "jwk" }), kid, use: "sig" } };
}

/** Signs as `alg` says with whatever key there is. A header or a payload that is a text is taken as it is. */
export function signOidc(
  key: KeyObject,
  header: string | (Record<string, unknown> & { readonly alg: string }),
  payload: unknown,
  alg = typeof header === "string" ? "ES256" : header.alg,
): string {
  const part = (value: unknown) => base64url(typeof value === "string" ? value : JSON.stringify(value));
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${signatureOf(input, key, alg).toString("base64url")}`;
}

function signatureOf(input: string, key: KeyObject, alg: string): Buffer {
  const bytes = Buffer.from(input);
  const hash = `sha${alg.slice(2)}`;
  switch (alg.slice(0, 2)) {
    case "ES":
      return sign(hash, bytes, { key, dsaEncoding: "ieee-p1363" });
    case "RS":
      return sign(hash, bytes, key);
    case "PS":
      return sign(hash, bytes, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
    default:
      return sign(null, bytes, key);
  }
}

/** HS256 with any bytes as the secret. */
export function signHmac(secret: string | Buffer, header: object, payload: unknown): string {
  const input = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(payload))}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}
