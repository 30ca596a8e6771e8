/** Tokens for the SFU, which reads them from its `?token=` parameter: HS256 with its secret. */
import { hmacKey } from "../../jwt/jwt-key.ts";
import { signJwt } from "../../jwt/sign-jwt.ts";
import type { UserType } from "../../rooms/room-store.ts";
import type { IssuedToken } from "../transcription/issue-token.ts";

export interface SfuSettings {
  readonly url: string;
  readonly jwtSecret: string;
}

export interface SfuTokenRequest {
  readonly userId: string;
  readonly email?: string;
  readonly roomName: string;
  readonly userType: UserType;
  readonly ttlSeconds: number;
}

export const sfuTtlSeconds = 3600;

export function issueSfuToken(request: SfuTokenRequest, settings: SfuSettings, nowMs: number): IssuedToken {
  const now = Math.floor(nowMs / 1000);
  const exp = now + request.ttlSeconds;
  const claims = {
    user_id: request.userId,
    email: request.email, // absent: not written
    room: request.roomName,
    user_type: request.userType, // the SFU's own words: host, presenter, guest
    iat: now,
    exp,
  };
  return { token: signJwt(claims, hmacKey(settings.jwtSecret)), expireTime: new Date(exp * 1000) };
}
