/**
 * Judges a token as Parley should, by jose and by rules that are written anew from RFC 7515, 7519 and 8725 and from what
 * Parley promises of its own tokens. Shares no code with src/, so that a fault there is not a fault here.
 */
import { isUtf8 } from "node:buffer";
import * as jose from "jose";
import { nowSeconds, publicKeys, secrets, settings } from "./fuzz-keys.ts";
import { readStrictJson } from "./strict-json.ts";
import type { Json } from "./strict-json.ts";

/** What the caller must turn out to be; undefined where the token must be refused. */
export type Judgement =
  | { readonly caller: ExpectedCaller; readonly refusal?: never }
  | { readonly caller?: never; readonly refusal: string };

export interface ExpectedCaller {
  readonly kind: "participant" | "user";
  readonly userId: string;
  readonly roomName?: string;
  readonly participantIdentity?: string;
  readonly userType?: string;
  readonly tokenId?: string;
  readonly familyId?: string;
  /** In milliseconds since the epoch. */
  readonly expireTimeMs: number;
}

const maxBytes = 8 * 1024;
const skewSeconds = 10;
const maxLifetimeSeconds = 24 * 3600;
const year10000 = Date.UTC(10_000, 0) / 1000;
const userAudience = "parley";
const userTypes: ReadonlyMap<Json | undefined, string> = new Map([
  [undefined, "guest"],
  ["HOST", "host"],
  ["PRESENTER", "presenter"],
  ["GUEST", "guest"],
  ["VIEWER", "viewer"],
]);

export async function judgeToken(token: string): Promise<Judgement> {
  if (Buffer.byteLength(token) > maxBytes) return { refusal: "too long" };
  const parts = token.split(".").map(decodePart);
  const [header, claims] = parts.slice(0, 2).map(readObject);
  if (parts.length !== 3 || parts.includes(undefined)) return { refusal: "not three parts of base64url" };
  if (!header || !claims) return { refusal: "not JSON objects" };
  const refusal = judgeHeader(header) ?? judgeTimes(claims) ?? (await judgeByJose(token, header));
  return refusal === undefined ? judgeClaims(header, claims) : { refusal };
}

type Members = ReadonlyMap<string, Json>;

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Base64url in its one spelling: no padding, no character of six bits alone, and no bits left over that are set. */
function decodePart(text: string): Buffer | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let bitCount = 0;
  for (const character of text) {
    const value = alphabet.indexOf(character);
    if (value < 0) return undefined;
    bits = (bits << 6) | value;
    bitCount += 6;
    if (bitCount < 8) continue;
    bitCount -= 8;
    bytes.push(bits >> bitCount);
    bits &= (1 << bitCount) - 1;
  }
  return bitCount < 6 && bits === 0 ? Buffer.from(bytes) : undefined;
}

function readObject(bytes: Buffer | undefined): Members | undefined {
  if (!bytes || !isUtf8(bytes)) return undefined;
  const value = readStrictJson(bytes.toString());
  return value instanceof Map ? (value as Members) : undefined;
}

function judgeHeader(header: Members): string | undefined {
  const forbidden = ["crit", "b64", "jwk", "jku", "x5u", "x5c"].find((name) => header.has(name));
  if (forbidden !== undefined) return `${forbidden} in the header`;
  const typ = header.get("typ");
  if (header.has("typ") && !(typeof typ === "string" && /^jwt$/i.test(typ))) return "typ";
  const kid = header.get("kid");
  if (!header.has("kid")) return undefined;
  const isKid = typeof kid === "string" && /^[\w.:=+/@-]{1,256}$/.test(kid) && !/\.\./.test(kid);
  return isKid ? undefined : "kid";
}

function judgeTimes(claims: Members): string | undefined {
  const [exp, nbf, iat] = ["exp", "nbf", "iat"].map((name) => claims.get(name));
  for (const time of [exp, nbf, iat]) {
    const isTime = typeof time === "number" && time >= 0 && time < year10000;
    if (time !== undefined && !isTime) return "a time is none";
  }
  if (typeof iat === "number" && iat > nowSeconds + skewSeconds) return "iat in the future";
  const begin = [iat, nbf, nowSeconds].find((time) => typeof time === "number") ?? 0;
  return typeof exp === "number" && exp - begin > maxLifetimeSeconds ? "lifetime" : undefined;
}

/** Signature, algorithm, exp, nbf, iss and aud. */
async function judgeByJose(token: string, header: Members): Promise<string | undefined> {
  const kid = header.get("kid");
  const keys =
    header.get("alg") === "EdDSA"
      ? [...publicKeys].filter(([name]) => kid === undefined || kid === name).map(([, key]) => key)
      : secrets.map((secret) => new TextEncoder().encode(secret));
  let refusal = "no key";
  for (const key of keys) {
    try {
      await jose.jwtVerify(token, key, {
        algorithms: key instanceof Uint8Array ? ["HS256"] : ["EdDSA"],
        issuer: settings.issuer,
        audience: [settings.audience, userAudience],
        requiredClaims: ["exp"],
        clockTolerance: skewSeconds,
        currentDate: new Date(nowSeconds * 1000),
      });
      return undefined;
    } catch (error) {
      refusal = error instanceof jose.errors.JOSEError ? error.code : "jose throws something else";
    }
  }
  return refusal;
}

function judgeClaims(header: Members, claims: Members): Judgement {
  const name = (claim: string) => {
    const value = claims.get(claim);
    return isName(value) ? value : undefined;
  };
  const expireTimeMs = Math.trunc(Number(claims.get("exp")) * 1000);
  if (claims.get("aud") === userAudience) {
    const userId = name("sub");
    if (header.get("alg") !== "HS256") return { refusal: "a login that is not signed with the secret" };
    return userId === undefined ? { refusal: "sub" } : { caller: { kind: "user", userId, expireTimeMs } };
  }
  if (claims.get("aud") !== settings.audience) return { refusal: "aud is not one text" };
  const [userId, roomName] = [name("userId"), name("roomName")];
  const [participantIdentity, tokenId, familyId] = [name("participantIdentity"), name("jti"), name("fam")];
  const userType = userTypes.get(claims.get("userType"));
  if (userId === undefined || roomName === undefined || participantIdentity === undefined)
    return { refusal: "names" };
  if (tokenId === undefined) return { refusal: "jti" };
  if (userType === undefined) return { refusal: "userType" };
  if (claims.has("fam") && familyId === undefined) return { refusal: "fam" };
  return {
    caller: {
      kind: "participant",
      userId,
      roomName,
      participantIdentity,
      userType,
      tokenId,
      ...(familyId !== undefined && { familyId }),
      expireTimeMs,
    },
  };
}

function isName(value: Json | undefined): value is string {
  if (typeof value !== "string" || value === "__proto__") return false;
  const characters = Array.from(value); // by code points
  const isPlain = (character: string) => !/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]/u.test(character);
  return characters.length >= 1 && characters.length <= 256 && characters.every(isPlain);
}
