/**
 * Tokens for a LiveKit server. Claims as LiveKit's server SDKs write them: `iss` the API key, `sub` the identity, grants
 * under `video` (docs.livekit.io, "Tokens & grants"). HS256 with the API secret.
 */
import { hmacKey } from "../../jwt/jwt-key.ts";
import { signJwt } from "../../jwt/sign-jwt.ts";
import type { UserType } from "../../rooms/room-store.ts";
import type { IssuedToken } from "../transcription/issue-token.ts";
import { userTypeRights } from "../../rooms/user-types.ts";

export interface LiveKitSettings {
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
}

export interface LiveKitTokenRequest {
  readonly roomName: string;
  readonly participantIdentity: string;
  readonly participantName?: string;
  readonly userType: UserType;
  readonly ttlSeconds: number;
}

export const liveKitTtlSeconds = 3600;

export function issueLiveKitToken(
  request: LiveKitTokenRequest,
  settings: LiveKitSettings,
  nowMs: number,
): IssuedToken {
  const now = Math.floor(nowMs / 1000);
  const exp = now + request.ttlSeconds;
  const claims = {
    iss: settings.apiKey,
    sub: request.participantIdentity,
    ...(request.participantName === undefined ? {} : { name: request.participantName }),
    nbf: now,
    exp,
    video: { roomJoin: true, room: request.roomName, ...userTypeRights[request.userType].livekit },
  };
  return { token: signJwt(claims, hmacKey(settings.apiSecret)), expireTime: new Date(exp * 1000) };
}
