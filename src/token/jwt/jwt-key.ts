/**
 * Keys for signing and verifying JWTs. Each key has one algorithm, which it is never used without: that the header of a
 * token could choose another one for it is how most forged tokens work (RFC 8725, sections 2.1 and 3.1).
 *
 * Algorithms and their signatures: RFC 7518, section 3, and RFC 8037 for EdDSA, here with Ed25519 only.
 */
import {
  constants,
  createHmac,
  createPublicKey,
  createSecretKey,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import type { JsonWebKey, KeyObject } from "node:crypto";

export const asymmetricAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;
export type AsymmetricAlgorithm = (typeof asymmetricAlgorithms)[number];
export type JwtAlgorithm = "HS256" | AsymmetricAlgorithm;

export interface VerificationKey {
  readonly alg: JwtAlgorithm;
  /** By which a token names it. A key without one is tried for every token of its algorithm. */
  readonly kid?: string;
  verifies(input: string, signature: Buffer): boolean;
}

export interface SigningKey {
  readonly alg: JwtAlgorithm;
  readonly kid?: string;
  /** The protected header, encoded. */
  readonly header: string;
  /** The signature, encoded. */
  sign(input: string): string;
}

/** HS256. `secret` should be of 32 bytes or more; that is checked where it is configured. */
export function hmacKey(secret: string, typ = "JWT"): SigningKey & VerificationKey {
  const key = createSecretKey(secret, "utf8");
  const hmac = (input: string) => createHmac("sha256", key).update(input);
  return {
    alg: "HS256",
    header: encodeHeader({ alg: "HS256", typ }),
    sign: (input) => hmac(input).digest("base64url"),
    verifies(input, signature) {
      const expected = hmac(input).digest();
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    },
  };
}

/** Signs with a private key that `isKeyFor` says fits. */
export function privateSigningKey(alg: AsymmetricAlgorithm, key: KeyObject, kid: string): SigningKey {
  const { hash, options } = schemes[alg];
  return {
    alg,
    kid,
    header: encodeHeader({ alg, typ: "JWT", kid }),
    sign: (input) => sign(hash, Buffer.from(input), { key, ...options }).toString("base64url"),
  };
}

/** Verifies with a public key that `isKeyFor` says fits. */
export function publicVerificationKey(
  alg: AsymmetricAlgorithm,
  key: KeyObject,
  kid?: string,
): VerificationKey {
  const { hash, options, signatureBytes } = schemes[alg];
  return {
    alg,
    ...(kid !== undefined && { kid }),
    verifies(input, signature) {
      if (signatureBytes !== undefined && signature.length !== signatureBytes) return false;
      return verify(hash, Buffer.from(input), { key, ...options }, signature);
    },
  };
}

/** The public key of a JWK (RFC 7517). Undefined when it is none that Node can read. */
export function readJwk(jwk: JsonWebKey): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch {
    return undefined; // one unreadable key of a set takes nothing from the others
  }
}

/** Whether the key is of the kind, the curve and the size that the algorithm asks for. With an exponent of 1 everybody signs. */
export function isKeyFor(alg: AsymmetricAlgorithm, key: KeyObject): boolean {
  const { type, curve } = schemes[alg];
  const { asymmetricKeyType, asymmetricKeyDetails: details } = key;
  if (asymmetricKeyType !== type) return false;
  if (type === "rsa")
    return (details?.modulusLength ?? 0) >= minRsaBits && (details?.publicExponent ?? 1n) > 1n;
  return curve === undefined || details?.namedCurve === curve;
}

/** RFC 7518, section 3.3. */
const minRsaBits = 2048;

interface Scheme {
  readonly type: "rsa" | "ec" | "ed25519";
  readonly hash: string | null;
  readonly curve?: string;
  readonly options: object;
  /** Where it does not depend on the key. */
  readonly signatureBytes?: number;
}

const rs = (hash: string): Scheme => ({
  type: "rsa",
  hash,
  options: { padding: constants.RSA_PKCS1_PADDING },
});
const ps = (hash: string): Scheme => ({
  type: "rsa",
  hash,
  options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
});
const es = (hash: string, curve: string, signatureBytes: number): Scheme => ({
  type: "ec",
  hash,
  curve,
  options: { dsaEncoding: "ieee-p1363" },
  signatureBytes,
});

const schemes: Readonly<Record<AsymmetricAlgorithm, Scheme>> = {
  RS256: rs("sha256"),
  RS384: rs("sha384"),
  RS512: rs("sha512"),
  PS256: ps("sha256"),
  PS384: ps("sha384"),
  PS512: ps("sha512"),
  ES256: es("sha256", "prime256v1", 64),
  ES384: es("sha384", "secp384r1", 96),
  ES512: es("sha512", "secp521r1", 132),
  EdDSA: { type: "ed25519", hash: null, options: {}, signatureBytes: 64 },
};

function encodeHeader(header: object): string {
  return Buffer.from(JSON.stringify(header)).toString("base64url");
}
