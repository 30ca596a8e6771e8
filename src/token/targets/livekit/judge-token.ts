/**
 * Whether a LiveKit server lets a token join a room, by the rules of livekit-server 1.13 (protocol/auth, `Verify`;
 * pkg/service, `ValidateConnectRequest`) with the limits that it has by default. Earlier ones also let in what has no `exp`.
 */
import { hmacKey } from "../../jwt/jwt-key.ts";
import type { Claims } from "../../jwt/verify-jwt.ts";
import { TokenError } from "../../token-error.ts";
import { checkGoClaims, checkGoStruct, checkGoTimes, memberOf, textOf } from "../golang-jwt.ts";
import type { GoStruct } from "../golang-jwt.ts";
import { judgeWith } from "../verdict.ts";
import type { ReadToken, TokenQuestion, Verdict } from "../verdict.ts";
import type { LiveKitSettings } from "./issue-token.ts";

/** auth.ClaimGrants. */
const grantClaims: GoStruct = {
  identity: "text",
  name: "text",
  kind: "text",
  kindDetails: "texts",
  video: "object",
  sip: "object",
  agent: "object",
  inference: "object",
  observability: "object",
  agentEndpoint: "object",
  agentThread: "object",
  roomConfig: "object",
  roomPreset: "text",
  sha256: "text",
  metadata: "text",
  attributes: "text map",
};

/** auth.VideoGrant. */
const videoGrant: GoStruct = {
  roomCreate: "flag",
  roomList: "flag",
  roomRecord: "flag",
  roomAdmin: "flag",
  roomJoin: "flag",
  room: "text",
  canPublish: "flag",
  canSubscribe: "flag",
  canPublishData: "flag",
  canPublishSources: "texts",
  canUpdateOwnMetadata: "flag",
  ingressAdmin: "flag",
  hidden: "flag",
  recorder: "flag",
  agent: "flag",
  canSubscribeMetrics: "flag",
  canManageAgentSession: "flag",
  destinationRoom: "text",
};

const times = { server: "LiveKit", leewaySeconds: 60, requiresExp: true } as const;

/** `max_participant_identity_length` and `max_room_name_length`, in bytes. */
const maxNameBytes = 256;

export function judgeLiveKitToken(
  token: string,
  question: TokenQuestion,
  { apiKey, apiSecret }: LiveKitSettings,
  nowMs: number,
): Verdict {
  return judgeWith(token, "livekit", hmacKey(apiSecret), (read) => {
    checkSignature(read, apiKey);
    const { claims } = read;
    checkGoClaims(claims, grantClaims);
    checkGoTimes(claims, times, nowMs);
    const video = memberOf(claims, "video") as Claims | undefined;
    if (!video) throw new TokenError("grant", "video is absent: the token grants nothing");
    checkGoStruct(video, videoGrant, "video.");
    if (memberOf(video, "roomJoin") !== true) throw new TokenError("grant", "video.roomJoin is not granted");
    checkIdentity(claims);
    checkRoom(textOf(video, "room"), question);
    return {};
  });
}

/** The issuer comes first: by it the server finds the secret. */
function checkSignature({ header, claims, isSigned }: ReadToken, apiKey: string): void {
  if (claims["iss"] !== apiKey) throw new TokenError("issuer", "iss is not LIVEKIT_API_KEY");
  if (header["alg"] !== "HS256") throw new TokenError("algorithm", "alg is another one; LiveKit takes HS256");
  if (!isSigned) throw new TokenError("signature", "the signature does not fit LIVEKIT_API_SECRET");
}

function checkIdentity(claims: Claims): void {
  const identity = textOf(claims, "sub") || textOf(claims, "jti");
  if (identity === "") throw new TokenError("claim", "sub is absent: the token names no participant");
  if (Buffer.byteLength(identity) > maxNameBytes)
    throw new TokenError("claim", `sub is longer than ${maxNameBytes} bytes`);
}

/** The token leads into its room, whichever is asked for. */
function checkRoom(room: string, { roomName }: TokenQuestion): void {
  if (room === "") throw new TokenError("room", "video.room is absent: the token leads into no room");
  if (Buffer.byteLength(room) > maxNameBytes)
    throw new TokenError("room", `video.room is longer than ${maxNameBytes} bytes`);
  if (roomName !== undefined && room !== roomName)
    throw new TokenError("room", "video.room is another one; LiveKit compares every letter");
}
