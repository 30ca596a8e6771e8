/** Compact tokens part by part, right or wrong: whatever header, whatever payload, under whatever signature. */
import { constants, createHmac, generateKeyPairSync, sign as signWith } from "node:crypto";
import type { JsonWebKey, KeyObject } from "node:crypto";

/** Signs the first two parts. */
export type Sign = (input: string) => Buffer;

export interface TokenParts {
  /** A text is taken as it is; anything else is written as JSON. */
  readonly header: unknown;
  readonly claims: unknown;
  readonly sign: Sign;
}

export function write({ header, claims, sign }: TokenParts): string {
  return signParts(encode(asText(header)), encode(asText(claims)), sign);
}

/** Signs two parts that are encoded already, whatever is in them. */
export function signParts(headerPart: string, payloadPart: string, sign: Sign): string {
  const input = `${headerPart}.${payloadPart}`;
  return `${input}.${sign(input).toString("base64url")}`;
}

export function encode(value: string | Uint8Array): string {
  return Buffer.from(value).toString("base64url");
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function hmac(secret: string | Buffer, bits: 256 | 384 | 512 = 256): Sign {
  return (input) => createHmac(`sha${bits}`, secret).update(input).digest();
}

export function rsa(key: KeyObject, bits: 1 | 256 | 512 = 256): Sign {
  return (input) => signWith(`sha${bits}`, Buffer.from(input), key);
}

export function pss(key: KeyObject): Sign {
  const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return (input) => signWith("sha256", Buffer.from(input), { key, ...options });
}

export function ecdsa(key: KeyObject): Sign {
  return (input) => signWith("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" });
}

export function eddsa(key: KeyObject): Sign {
  return (input) => signWith(null, Buffer.from(input), key);
}

/** These bytes, whatever is signed. */
export function fixed(signature: string | Uint8Array): Sign {
  return () => Buffer.from(signature);
}

export interface TestKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** As an issuer publishes it, without `alg`. */
  readonly jwk: JsonWebKey;
}

export function makeKey(type: "rsa" | "ec" | "ed25519", kid: string): TestKey {
  const pair = {
    rsa: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
    ec: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
    ed25519: () => generateKeyPairSync("ed25519"),
  }[type]();
  return { kid, ...pair, jwk: { ...pair.publicKey.export({ format: "jwk" }), kid, use: "sig" } };
}

export function spkiPem(key: KeyObject): string {
  return key.export({ type: "spki", format: "pem" }).toString();
}
