/**
 * The refresh token: its claims, written and read. A JWT that only Parley itself reads, signed with JWT_SECRET; header and
 * audience say that it is one, so that it is taken for no other token. What it says is the right to be renewed, which is
 * checked anew each time.
 */
import type { JwtSettings } from "../keys/jwt-settings.ts";
import { maxLifetimeSeconds } from "../keys/jwt-settings.ts";
import { keyRing, refreshTokenType } from "../keys/key-ring.ts";
import { signJwt } from "../jwt/sign-jwt.ts";
import { verifyJwt } from "../jwt/verify-jwt.ts";
import type { Claims } from "../jwt/verify-jwt.ts";
import { isName, readName } from "../read-name.ts";
import { makeTokenId, readTokenIdTime } from "../revocation/token-id.ts";
import type { UserType } from "../rooms/room-store.ts";
import { TokenError } from "../token-error.ts";

export const refreshTokenAudience = "parley-refresh";

/** How long one refresh token is good, in seconds: no longer than revocations are remembered. */
export const refreshTtlSeconds = maxLifetimeSeconds;
/** How long tokens may be renewed, from the first on, in seconds. */
export const familyLifetimeSeconds = 7 * 24 * 3600;

export const sessionTargets = ["livekit", "transcription", "jitsi", "sfu"] as const;
export type SessionTarget = (typeof sessionTargets)[number];

/** What is renewed. */
export interface RefreshGrant {
  readonly userId: string;
  readonly roomName: string;
  readonly participantIdentity: string;
  readonly participantName?: string;
  readonly participantEmail?: string;
  /** What was asked for and granted first; renewed as far as the right still goes. */
  readonly userType: UserType;
  readonly targets: readonly SessionTarget[];
  /** The API key that asked; absent: the user did. */
  readonly apiKeyId?: string;
}

export interface RefreshToken {
  readonly grant: RefreshGrant;
  readonly tokenId: string;
  /** What it and all that came of it have in common; holds when the family began. */
  readonly familyId: string;
  /** Its place in the family, from 1. */
  readonly generation: number;
  /** When the family began: what was revoked since then is revoked for all of it. */
  readonly issueTime: Date;
  readonly expireTime: Date;
}

/** An id that holds the moment at which the family begins. */
export function makeFamilyId(nowMs: number): string {
  return makeTokenId(nowMs);
}

export function issueRefreshToken(
  { grant, familyId, generation }: Pick<RefreshToken, "grant" | "familyId" | "generation">,
  settings: JwtSettings,
  nowMs: number,
): string {
  const now = Math.floor(nowMs / 1000);
  const exp = Math.min(now + refreshTtlSeconds, Math.floor(familyEnd(familyId)));
  const claims = {
    sub: grant.userId,
    room: grant.roomName,
    identity: grant.participantIdentity,
    name: grant.participantName,
    email: grant.participantEmail,
    userType: grant.userType,
    targets: grant.targets,
    key: grant.apiKeyId,
    fam: familyId,
    gen: generation,
    iss: settings.issuer,
    aud: refreshTokenAudience,
    iat: now,
    nbf: now,
    exp,
    jti: makeTokenId(nowMs),
  };
  return signJwt(claims, keyRing(settings).refresh);
}

/** Throws TokenError. Whether it was revoked or spent is not known here. */
export function readRefreshToken(token: string, settings: JwtSettings, nowMs: number): RefreshToken {
  const claims = verifyJwt(token, {
    keys: keyRing(settings).shared,
    types: [refreshTokenType],
    nowMs,
    maxLifetimeSeconds,
  });
  if (claims["iss"] !== settings.issuer) throw new TokenError("issuer", "the issuer is another one");
  if (claims["aud"] !== refreshTokenAudience) throw new TokenError("audience", "not a refresh token");
  const familyId = readName(claims, "fam");
  const { gen } = claims;
  if (typeof gen !== "number" || !Number.isSafeInteger(gen) || gen < 1)
    throw new TokenError("claim", "gen is not a number");
  return {
    grant: readGrant(claims),
    tokenId: readName(claims, "jti"),
    familyId,
    generation: gen,
    issueTime: new Date(familyEnd(familyId) * 1000 - familyLifetimeSeconds * 1000),
    expireTime: new Date((claims["exp"] as number) * 1000),
  };
}

/** In seconds since the epoch. Throws TokenError. */
function familyEnd(familyId: string): number {
  const beganMs = readTokenIdTime(familyId);
  if (beganMs === undefined) throw new TokenError("claim", "fam is not an id");
  return beganMs / 1000 + familyLifetimeSeconds;
}

const userTypes: readonly UserType[] = ["host", "presenter", "guest", "viewer"];

function readGrant(claims: Claims): RefreshGrant {
  const { userType, targets } = claims;
  const known = userTypes.find((candidate) => candidate === userType);
  if (known === undefined) throw new TokenError("claim", "userType is not known");
  if (!Array.isArray(targets) || !targets.every(isSessionTarget))
    throw new TokenError("claim", "targets are not known");
  return {
    userId: readName(claims, "sub"),
    roomName: readName(claims, "room"),
    participantIdentity: readName(claims, "identity"),
    ...readText(claims, "name", "participantName"),
    ...readText(claims, "email", "participantEmail"),
    userType: known,
    targets,
    ...readText(claims, "key", "apiKeyId"),
  };
}

function isSessionTarget(value: unknown): value is SessionTarget {
  return (sessionTargets as readonly unknown[]).includes(value);
}

function readText<K extends string>(claims: Claims, name: string, as: K): Partial<Record<K, string>> {
  const value = claims[name];
  return typeof value === "string" && isName(value) ? ({ [as]: value } as Record<K, string>) : {};
}
