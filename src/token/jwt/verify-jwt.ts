/**
 * Reads compact JWTs signed with HS256, and refuses everything that is not plainly one: the algorithm is pinned, no key is
 * taken from the token, nothing is fetched. Checks the signature and the times; other claims are the callers'.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { TokenError } from "../token-error.ts";
import { decodeBase64url } from "./base64url.ts";
import { parseJsonStrictly } from "./parse-json-strictly.ts";

export type Claims = Readonly<Record<string, unknown>>;

export interface VerifyOptions {
  /** Tried in turn: the present secret, then the previous one. */
  readonly secrets: readonly string[];
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Longest lifetime, in seconds. */
  readonly maxLifetimeSeconds: number;
}

export const maxTokenBytes = 8 * 1024;
/** Clocks differ; RFC 7519 section 4.1.4 allows "some small leeway". In seconds. */
export const clockSkewSeconds = 10;

/** Throws TokenError. */
export function verifyJwt(token: string, options: VerifyOptions): Claims {
  const claims = readSignedClaims(token, options.secrets);
  checkTimes(claims, options);
  return claims;
}

/** What a token says that is signed with one of the secrets, whatever its times are. Throws TokenError. */
export function readSignedClaims(token: string, secrets: readonly string[]): Claims {
  if (Buffer.byteLength(token) > maxTokenBytes) throw new TokenError("malformed", "the token is too long");
  const parts = token.split(".", 4);
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined) {
    throw new TokenError("malformed", "the token does not have three parts");
  }
  checkHeader(readObject(header));
  const signatureBytes = decodeBase64url(signature);
  if (!signatureBytes) throw new TokenError("malformed", "the signature is not canonical base64url");
  const input = `${header}.${payload}`;
  if (!secrets.some((secret) => isSignedWith(secret, input, signatureBytes))) {
    throw new TokenError("signature", "the signature does not fit");
  }
  return readObject(payload);
}

function readObject(part: string): Claims {
  const bytes = decodeBase64url(part);
  if (!bytes) throw new TokenError("malformed", "a part is not canonical base64url");
  let value: unknown;
  try {
    value = parseJsonStrictly(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw new TokenError("malformed", "a part is not strict JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TokenError("malformed", "a part is not a JSON object");
  }
  return value as Claims;
}

function checkHeader(header: Claims): void {
  if (header["alg"] !== "HS256") throw new TokenError("algorithm", "the algorithm is not HS256");
  // RFC 7515, section 4.1.11: an extension that is not understood must be refused; none is.
  if ("crit" in header || "b64" in header) throw new TokenError("malformed", "the header has extensions");
  if ("typ" in header && header["typ"] !== "JWT")
    throw new TokenError("malformed", "the header's typ is not JWT");
}

function isSignedWith(secret: string, input: string, signature: Buffer): boolean {
  const expected = createHmac("sha256", secret).update(input).digest();
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}

function checkTimes(claims: Claims, options: VerifyOptions): void {
  const now = options.nowMs / 1000;
  const exp = readTime(claims, "exp");
  const iat = readTime(claims, "iat");
  const nbf = readTime(claims, "nbf");
  if (exp === undefined) throw new TokenError("claim", "exp is required");
  if (exp - (iat ?? nbf ?? now) > options.maxLifetimeSeconds)
    throw new TokenError("lifetime", "the lifetime is too long");
  if (now >= exp + clockSkewSeconds) throw new TokenError("expired", "the token has expired");
  if (nbf !== undefined && nbf > now + clockSkewSeconds)
    throw new TokenError("not-yet-valid", "nbf is in the future");
  if (iat !== undefined && iat > now + clockSkewSeconds)
    throw new TokenError("not-yet-valid", "iat is in the future");
}

/** The year 10000, where a protobuf Timestamp ends. In seconds. */
export const endOfTime = 253_402_300_800;

/** RFC 7519, section 2, NumericDate: seconds since the epoch, possibly with a fraction. */
function readTime(claims: Claims, name: "exp" | "iat" | "nbf"): number | undefined {
  if (!Object.hasOwn(claims, name)) return undefined;
  const value = claims[name];
  if (typeof value !== "number" || !(value >= 0 && value < endOfTime)) {
    throw new TokenError("claim", `${name} is not a time`);
  }
  return value;
}
