/**
 * Whether the SFU lets a token in: golang-jwt with its own claims, no leeway, and no claim but `user_id` that must be there.
 * Without `room` its bearer gets into the room "default".
 */
import { hmacKey } from "../../jwt/jwt-key.ts";
import { TokenError } from "../../token-error.ts";
import { checkGoClaims, checkGoTimes, textOf } from "../golang-jwt.ts";
import type { GoStruct } from "../golang-jwt.ts";
import { judgeWith } from "../verdict.ts";
import type { TokenQuestion, Verdict } from "../verdict.ts";
import type { SfuSettings } from "./issue-token.ts";

const sfuClaims: GoStruct = { user_id: "text", email: "text", room: "text", user_type: "text" };
const times = { server: "the SFU", leewaySeconds: 0, requiresExp: false } as const;
const defaultRoom = "default";

export function judgeSfuToken(
  token: string,
  { roomName }: TokenQuestion,
  { jwtSecret }: SfuSettings,
  nowMs: number,
): Verdict {
  return judgeWith(token, "sfu", hmacKey(jwtSecret), ({ header, claims, isSigned }) => {
    if (header["alg"] !== "HS256") throw new TokenError("algorithm", "alg is another one than HS256");
    if (!isSigned) throw new TokenError("signature", "the signature does not fit SFU_JWT_SECRET");
    checkGoClaims(claims, sfuClaims);
    checkGoTimes(claims, times, nowMs);
    if (textOf(claims, "user_id") === "")
      throw new TokenError("claim", 'user_id is absent; the SFU would take the bearer for "anonymous"');
    if (roomName !== undefined && (textOf(claims, "room") || defaultRoom) !== roomName)
      throw new TokenError("room", "room is another one; the SFU compares every letter");
    return {};
  });
}
