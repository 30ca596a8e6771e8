/**
 * Reads a token of the SFU where Parley itself is asked to let its bearer in: stricter than the SFU, which goes without `exp`
 * and `room`.
 */
import { createHash } from "node:crypto";
import type { ParticipantCaller } from "../../caller.ts";
import { hmacKey } from "../../jwt/jwt-key.ts";
import { verifyJwt } from "../../jwt/verify-jwt.ts";
import type { Claims } from "../../jwt/verify-jwt.ts";
import { maxLifetimeSeconds } from "../../keys/jwt-settings.ts";
import { readName } from "../../read-name.ts";
import type { UserType } from "../../rooms/room-store.ts";
import type { SfuSettings } from "./issue-token.ts";

/** Throws TokenError. Without settings no token is good. */
export function readSfuToken(
  token: string,
  settings: Pick<SfuSettings, "jwtSecret"> | undefined,
  nowMs: number,
): ParticipantCaller {
  const keys = settings ? [hmacKey(settings.jwtSecret)] : [];
  const claims = verifyJwt(token, { keys, nowMs, maxLifetimeSeconds });
  const userId = readName(claims, "user_id");
  const { iat, exp } = claims;
  return {
    kind: "participant",
    userId,
    roomName: readName(claims, "room"),
    participantIdentity: userId, // the SFU knows no other
    userType: readUserType(claims),
    // It has no id; so that two of them are told apart.
    tokenId: `sfu-${createHash("sha256").update(token).digest("hex").slice(0, 32)}`,
    issueTime: new Date(typeof iat === "number" ? Math.floor(iat) * 1000 : 0),
    expireTime: new Date((exp as number) * 1000),
  };
}

const userTypes: readonly UserType[] = ["host", "presenter", "guest", "viewer"];

/** Apps have words of their own for it: those that are not known say least. */
function readUserType(claims: Claims): UserType {
  return userTypes.find((userType) => userType === claims["user_type"]) ?? "viewer";
}
