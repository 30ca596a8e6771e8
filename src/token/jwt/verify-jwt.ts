/**
 * Reads compact JWTs, and refuses everything that is not plainly one: the algorithm is the key's, never the token's to
 * choose, no key is taken from the token, nothing is fetched. Checks the signature and the times; other claims are the
 * callers'.
 */
import { TokenError } from "../token-error.ts";
import { decodeBase64url } from "./base64url.ts";
import type { VerificationKey } from "./jwt-key.ts";
import { parseJsonStrictly } from "./parse-json-strictly.ts";

export type Claims = Readonly<Record<string, unknown>>;

export interface ReadOptions {
  /** Those that may have signed it. Of one algorithm they are tried in turn. */
  readonly keys: readonly VerificationKey[];
  /** What the header's `typ` may be, where there is one; compared without case, as media types are. Default "JWT" only. */
  readonly types?: readonly string[];
}

export interface VerifyOptions extends ReadOptions {
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
  const claims = readSignedClaims(token, options);
  checkTimes(claims, options);
  return claims;
}

/** What a token says that is signed with one of the keys, whatever its times are. Throws TokenError. */
export function readSignedClaims(token: string, options: ReadOptions): Claims {
  return readSigned(token, options).claims;
}

/** As readSignedClaims, with the key that fits. */
export function readSigned(
  token: string,
  { keys, types = jwtOnly }: ReadOptions,
): { readonly claims: Claims; readonly key: VerificationKey } {
  const { header, payload, signature, input } = splitToken(token);
  const key = keysFor(readHeader(header, types), keys).find((key) => key.verifies(input, signature));
  if (!key) throw new TokenError("signature", "the signature does not fit");
  return { claims: readObject(payload), key };
}

const jwtOnly: readonly string[] = ["JWT"];

/** What a token says of itself, unverified: to find the key that it may be verified with. Throws TokenError. */
export function peekToken(token: string): { readonly header: Claims; readonly claims: Claims } {
  const { header, payload } = splitToken(token);
  return { header: readObject(header), claims: readObject(payload) };
}

/** The header alone. Throws TokenError. */
export function peekHeader(token: string): Claims {
  return readObject(splitToken(token).header);
}

function splitToken(token: string) {
  // A character is at most three bytes: of most tokens the length in bytes need not be counted.
  if (token.length * 3 > maxTokenBytes && Buffer.byteLength(token) > maxTokenBytes) {
    throw new TokenError("malformed", "the token is too long");
  }
  const parts = token.split(".", 4);
  const [header, payload, signatureText] = parts;
  if (parts.length !== 3 || header === undefined || payload === undefined || signatureText === undefined) {
    throw new TokenError("malformed", "the token does not have three parts");
  }
  const signature = decodeBase64url(signatureText);
  if (!signature) throw new TokenError("malformed", "the signature is not canonical base64url");
  return { header, payload, signature, input: token.slice(0, header.length + 1 + payload.length) };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function readObject(part: string): Claims {
  const bytes = decodeBase64url(part);
  if (!bytes) throw new TokenError("malformed", "a part is not canonical base64url");
  let value: unknown;
  try {
    value = parseJsonStrictly(utf8.decode(bytes));
  } catch {
    throw new TokenError("malformed", "a part is not strict JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TokenError("malformed", "a part is not a JSON object");
  }
  return value as Claims;
}

interface Header {
  readonly alg: unknown;
  readonly kid: string | undefined;
}

/** The header of nearly every token, as `hmacKey` and other libraries write it. */
const plainHeader = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString("base64url");

function readHeader(part: string, types: readonly string[]): Header {
  if (part === plainHeader && types === jwtOnly) return { alg: "HS256", kid: undefined };
  const header = readObject(part);
  // RFC 7515, section 4.1.11: an extension that is not understood must be refused; none is.
  if ("crit" in header || "b64" in header) throw new TokenError("malformed", "the header has extensions");
  if (ownKeys.some((name) => name in header)) throw new TokenError("malformed", "the header brings a key");
  if ("typ" in header && !isType(header["typ"], types))
    throw new TokenError("malformed", "the header's typ is another one");
  const { kid } = header;
  if (kid !== undefined && !isKid(kid)) throw new TokenError("malformed", "the header's kid is none");
  return { alg: header["alg"], kid };
}

/** A token that says with which key, or where to find the key, that it is to be verified (RFC 8725, section 3.10). */
const ownKeys = ["jwk", "jku", "x5u", "x5c"];

function isType(value: unknown, types: readonly string[]): boolean {
  return typeof value === "string" && types.some((type) => type.toLowerCase() === value.toLowerCase());
}

/**
 * Key ids are hashes, dates and names. They are compared and nothing else: no path and no query is made of them, and what
 * climbs in a path is none. Two dashes and slashes anywhere are what base64 makes of a hash now and then.
 */
function isKid(value: unknown): value is string {
  return typeof value === "string" && /^[A-Za-z0-9_.:=+/@-]{1,256}$/.test(value) && !value.includes("..");
}

/** The keys that the header leaves. Throws TokenError `algorithm` when no key has its algorithm. */
function keysFor({ alg, kid }: Header, keys: readonly VerificationKey[]): readonly VerificationKey[] {
  const ofAlgorithm = keys.filter((key) => key.alg === alg);
  if (ofAlgorithm.length === 0) throw new TokenError("algorithm", "no key has the token's algorithm");
  if (kid === undefined || ofAlgorithm.every((key) => key.kid === undefined)) return ofAlgorithm;
  return ofAlgorithm.filter((key) => key.kid === kid);
}

/** Throws TokenError. */
export function checkTimes(
  claims: Claims,
  options: Pick<VerifyOptions, "nowMs" | "maxLifetimeSeconds">,
): void {
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
