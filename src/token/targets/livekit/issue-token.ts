/**
 * Tokens for a LiveKit server. Claims as LiveKit's server SDKs write them, and no others: `iss` the API key, `sub` the
 * identity, grants under `video` (docs.livekit.io, "Tokens & grants"). HS256 with the API secret. Decides nothing: what may be
 * granted is chosen in choose-grants.ts.
 */
import { hmacKey } from "../../jwt/jwt-key.ts";
import { signJwt } from "../../jwt/sign-jwt.ts";
import type { UserType } from "../../rooms/room-store.ts";
import type { IssuedToken } from "../transcription/issue-token.ts";
import { grantsOfUserType } from "./grants.ts";
import type { LiveKitGrants } from "./grants.ts";
import { userIdAttribute } from "./user-attribute.ts";

export interface LiveKitSettings {
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
}

/** A participant who enters a room with all that their user type has. */
export interface LiveKitTokenRequest {
  readonly roomName: string;
  readonly participantIdentity: string;
  readonly participantName?: string;
  /** Absent: the identity is the user's id. */
  readonly userId?: string;
  readonly userType: UserType;
  /** For a room that the join creates: LiveKit's RoomConfiguration in protobuf JSON. */
  readonly roomConfig?: object;
  readonly ttlSeconds: number;
}

/** A bearer with just these grants. */
export interface LiveKitGrantRequest {
  readonly grants: LiveKitGrants;
  /** Needed to join a room. */
  readonly participantIdentity?: string;
  readonly participantName?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly metadata?: string;
  /** For a room that the join creates: LiveKit's RoomConfiguration in protobuf JSON. */
  readonly roomConfig?: object;
  readonly ttlSeconds: number;
}

export const liveKitTtlSeconds = 3600;

export function issueLiveKitToken(
  request: LiveKitTokenRequest,
  settings: LiveKitSettings,
  nowMs: number,
): IssuedToken {
  const { roomName, userType, userId, ...rest } = request;
  const isOwnIdentity = userId === undefined || userId === request.participantIdentity;
  return issueLiveKitGrants(
    {
      ...rest,
      grants: { roomJoin: true, room: roomName, ...grantsOfUserType(userType) },
      ...(!isOwnIdentity && { attributes: { [userIdAttribute]: userId } }),
    },
    settings,
    nowMs,
  );
}

export function issueLiveKitGrants(
  request: LiveKitGrantRequest,
  { apiKey, apiSecret }: LiveKitSettings,
  nowMs: number,
): IssuedToken {
  const now = Math.floor(nowMs / 1000);
  const exp = now + request.ttlSeconds;
  // What is undefined is not written.
  const claims = {
    iss: apiKey,
    sub: request.participantIdentity,
    name: request.participantName,
    metadata: request.metadata,
    attributes: request.attributes,
    nbf: now,
    exp,
    video: request.grants,
    roomConfig: request.roomConfig,
  };
  return { token: signJwt(claims, hmacKey(apiSecret)), expireTime: new Date(exp * 1000) };
}
