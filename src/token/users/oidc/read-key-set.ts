/**
 * The keys of a JWK set (RFC 7517) that verify tokens. A key whose purpose or strength is another is passed over, as section
 * 5 asks; a set that can be read in two ways is refused as a whole.
 */
import type { JsonWebKey } from "node:crypto";
import { asymmetricAlgorithms, isKeyFor, publicVerificationKey, readJwk } from "../../jwt/jwt-key.ts";
import type { AsymmetricAlgorithm, VerificationKey } from "../../jwt/jwt-key.ts";
import { IssuerError } from "./issuer-error.ts";

export const keySetName = "its key set";

/** A token without `kid` is tried with every key of its algorithm. */
const maxKeys = 64;

/** May be empty. Throws IssuerError. */
export function readKeySet(document: unknown): readonly VerificationKey[] {
  const keys = isObject(document) ? document["keys"] : undefined;
  if (!Array.isArray(keys) || !keys.every(isObject)) throw new IssuerError(`${keySetName} is none`);
  if (keys.length > maxKeys) throw new IssuerError(`${keySetName} has more than ${maxKeys} keys`);
  const kids = keys.map((jwk) => jwk["kid"]).filter((kid) => kid !== undefined);
  if (new Set(kids).size < kids.length) throw new IssuerError(`${keySetName} has two keys with one kid`);
  return keys.flatMap((jwk) => readKey(jwk) ?? []);
}

function readKey(jwk: JsonWebKey): VerificationKey | undefined {
  const { kid } = jwk;
  const alg = algorithmOf(jwk);
  if (alg === undefined || (kid !== undefined && typeof kid !== "string")) return undefined;
  const key = readJwk(jwk);
  return key && isKeyFor(alg, key) ? publicVerificationKey(alg, key, kid) : undefined;
}

/** The one algorithm that the key may verify. Undefined when it is no public key for signatures; a secret has none here. */
function algorithmOf(jwk: JsonWebKey): AsymmetricAlgorithm | undefined {
  const { use, key_ops: operations, alg } = jwk;
  // A private key that is public by now: whoever can read the set can sign with it.
  if (jwk.d !== undefined) return undefined;
  if (use !== undefined && use !== "sig") return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify")))
    return undefined;
  if (alg !== undefined) return asymmetricAlgorithms.find((known) => known === alg);
  return typeof jwk.kty === "string"
    ? defaultAlgorithms.get(`${jwk.kty} ${jwk.crv ?? ""}`.trim())
    : undefined;
}

/**
 * Where the key does not say. For RSA it is the algorithm that every issuer must have (OpenID Connect Core 1.0, section
 * 15.1); a curve leaves no choice (RFC 7518, section 3.4; RFC 8037, section 3.1).
 */
const defaultAlgorithms: ReadonlyMap<string, AsymmetricAlgorithm> = new Map([
  ["RSA", "RS256"],
  ["EC P-256", "ES256"],
  ["EC P-384", "ES384"],
  ["EC P-521", "ES512"],
  ["OKP Ed25519", "EdDSA"],
]);

function isObject(value: unknown): value is JsonWebKey {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
