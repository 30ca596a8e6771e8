/** The token that opens Transcribe: its claims, written and read. HS256 with JWT_SECRET, or EdDSA. */
import type { ParticipantCaller } from "../../caller.ts";
import { signJwt } from "../../jwt/sign-jwt.ts";
import type { Claims } from "../../jwt/verify-jwt.ts";
import { readName } from "../../read-name.ts";
import type { UserType } from "../../rooms/room-store.ts";
import { TokenError } from "../../token-error.ts";
import { makeTokenId, readTokenIdTime } from "../../revocation/token-id.ts";
import type { JwtSettings } from "../../keys/jwt-settings.ts";
import { keyRing } from "../../keys/key-ring.ts";

export interface TranscriptionTokenRequest {
  readonly userId: string;
  readonly roomName: string;
  readonly participantIdentity: string;
  readonly userType: UserType;
  readonly familyId?: string;
  readonly ttlSeconds: number;
}

export interface IssuedToken {
  readonly token: string;
  readonly expireTime: Date;
}

const userTypeClaims = { host: "HOST", presenter: "PRESENTER", guest: "GUEST", viewer: "VIEWER" } as const;

export function issueTranscriptionToken(
  request: TranscriptionTokenRequest,
  settings: JwtSettings,
  nowMs: number,
): IssuedToken {
  const now = Math.floor(nowMs / 1000);
  const exp = now + request.ttlSeconds;
  const claims = {
    userId: request.userId,
    roomName: request.roomName,
    participantIdentity: request.participantIdentity,
    userType: userTypeClaims[request.userType],
    iss: settings.issuer,
    aud: settings.audience,
    iat: now,
    nbf: now,
    exp,
    jti: makeTokenId(nowMs),
    ...(request.familyId === undefined ? {} : { fam: request.familyId }),
  };
  return { token: signJwt(claims, keyRing(settings).transcription), expireTime: new Date(exp * 1000) };
}

/** `claims` are signed, in time, and have the right issuer and audience. Throws TokenError. */
export function readTranscriptionClaims(claims: Claims): ParticipantCaller {
  return {
    kind: "participant",
    userId: readName(claims, "userId"),
    roomName: readName(claims, "roomName"),
    participantIdentity: readName(claims, "participantIdentity"),
    userType: readUserType(claims),
    tokenId: readName(claims, "jti"),
    ...(Object.hasOwn(claims, "fam") && { familyId: readName(claims, "fam") }),
    issueTime: readIssueTime(claims),
    expireTime: new Date((claims["exp"] as number) * 1000),
  };
}

/**
 * To the millisecond for tokens that Parley made. For those of others `iat` counts from the begin of its second: a token
 * made later in the second of a revocation is refused with those before it, and a revocation never misses one. That rests
 * on clocks that agree; a token from a machine whose clock is ahead may escape a revocation within that difference.
 */
function readIssueTime(claims: Claims): Date {
  const { iat, jti, fam } = claims;
  // A family is revoked as a whole, also in what was made of it while the news was on its way.
  const familyBeganMs = typeof fam === "string" ? readTokenIdTime(fam) : undefined;
  if (familyBeganMs !== undefined) return new Date(familyBeganMs);
  if (typeof iat !== "number") return new Date(0);
  const madeAtMs = readTokenIdTime(jti as string);
  const isSameSecond = madeAtMs !== undefined && Math.floor(madeAtMs / 1000) === iat;
  return new Date(isSameSecond ? madeAtMs : Math.floor(iat) * 1000);
}

function readUserType(claims: Claims): UserType {
  for (const [userType, claim] of Object.entries(userTypeClaims)) {
    if (claims["userType"] === claim) return userType as UserType;
  }
  // Tokens of the service that this one replaces have no user type; their bearers spoke.
  if (!Object.hasOwn(claims, "userType")) return "guest";
  throw new TokenError("claim", "userType is not known");
}
