/** TokenService over Connect: reads requests, asks token/, writes answers. Signs and decides nothing itself. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { JsonObject } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { UserType } from "../../../../gen/ts/parley/token/v1/room_pb.ts";
import { Target, TokenKind, ValidityReason } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { ApiKeyStore } from "../../../token/api-keys/api-key-store.ts";
import { enterRoom } from "../../../token/rooms/enter-room.ts";
import type { Entry } from "../../../token/rooms/enter-room.ts";
import { issueLiveKitToken, liveKitTtlSeconds } from "../../../token/targets/livekit/issue-token.ts";
import type { LiveKitSettings } from "../../../token/targets/livekit/issue-token.ts";
import type { JwtSettings } from "../../../token/keys/jwt-settings.ts";
import type { Revocations } from "../../../token/revocation/revocations.ts";
import type { RoomStore } from "../../../token/rooms/room-store.ts";
import { TokenRequestError } from "../../../token/token-error.ts";
import { issueTranscriptionToken } from "../../../token/targets/transcription/issue-token.ts";
import type { IssuedToken } from "../../../token/targets/transcription/issue-token.ts";
import { validateOwnToken } from "../../../token/targets/transcription/judge-token.ts";
import { requireCaller } from "../../interceptors/credentials.ts";
import { given } from "../optional.ts";
import { apiKeyMethods } from "./api-keys.ts";
import { revokeMethods } from "./revoke-tokens.ts";
import { userTypeFromProto, userTypeToProto } from "./user-type.ts";

export interface TokenServiceDependencies {
  readonly jwt: JwtSettings;
  /** Absent: LiveKit is not configured. */
  readonly livekit?: LiveKitSettings;
  readonly rooms: RoomStore;
  readonly apiKeys: ApiKeyStore;
  readonly revocations: Revocations;
  /** Configured servers that do not ask whether a token was revoked. */
  readonly otherTargets: readonly Target[];
  readonly now: () => number;
}

/** What a later version serves is left out; Connect answers UNIMPLEMENTED to it. */
export function tokenService(
  dependencies: TokenServiceDependencies,
): Partial<ServiceImpl<typeof TokenService>> {
  const { jwt, livekit, rooms, now } = dependencies;
  return {
    async createSessionTokens(request, context) {
      const targets = chooseTargets(request.targets, dependencies);
      const caller = requireCaller(context, "user", "service");
      const entry = await enterRoom(caller, readEntry(request), rooms, now());
      const asked = (target: Target) => targets.includes(target);
      const transcription = asked(Target.TRANSCRIPTION)
        ? issueTranscriptionToken({ ...entry, ttlSeconds: jwt.expirySeconds }, jwt, now())
        : undefined;
      const forLiveKit =
        livekit && asked(Target.LIVEKIT)
          ? issueLiveKitToken(
              {
                ...entry,
                ttlSeconds: liveKitTtlSeconds,
                ...given("participantName", request.participantName),
              },
              livekit,
              now(),
            )
          : undefined;
      return {
        roomName: entry.roomName,
        participantIdentity: entry.participantIdentity,
        userType: userTypeToProto(entry.userType),
        expiresIn: secondsUntilFirst([transcription, forLiveKit], now()),
        ...(transcription && {
          transcriptionToken: transcription.token,
          transcriptionUrl: originOf(context),
          transcriptionExpireTime: timestampFromDate(transcription.expireTime),
        }),
        ...(forLiveKit && {
          livekitToken: forLiveKit.token,
          livekitUrl: livekit?.url ?? "",
          livekitExpireTime: timestampFromDate(forLiveKit.expireTime),
        }),
      };
    },

    async createTranscriptionToken(request, context) {
      const caller = requireCaller(context, "user", "service");
      const entry: Entry = await enterRoom(caller, readEntry(request), rooms, now());
      const issued = issueTranscriptionToken(
        { ...entry, ttlSeconds: request.ttlSeconds ?? jwt.expirySeconds },
        jwt,
        now(),
      );
      return {
        token: issued.token,
        url: originOf(context),
        expireTime: timestampFromDate(issued.expireTime),
        expiresIn: secondsUntilFirst([issued], now()),
        roomName: entry.roomName,
        participantIdentity: entry.participantIdentity,
      };
    },

    validateToken(request) {
      if (request.target === Target.LIVEKIT && livekit) {
        throw new TokenRequestError("unsupported", "target: this server judges only its own tokens yet");
      }
      if (request.target !== Target.UNSPECIFIED && request.target !== Target.TRANSCRIPTION) {
        return { valid: false, reason: ValidityReason.TARGET_NOT_CONFIGURED };
      }
      const verdict = validateOwnToken(
        request.token,
        {
          ...given("roomName", request.roomName),
          onlyTranscription: request.target === Target.TRANSCRIPTION,
        },
        jwt,
        dependencies.revocations,
        now(),
      );
      return {
        valid: verdict.reason === "ok",
        reason: reasons[verdict.reason],
        kind: verdict.kind === undefined ? TokenKind.UNSPECIFIED : kinds[verdict.kind],
        ...(verdict.claims && { claims: verdict.claims as JsonObject }),
        ...(verdict.expireTime && { expireTime: timestampFromDate(verdict.expireTime) }),
      };
    },

    ...revokeMethods(dependencies),
    ...apiKeyMethods(dependencies),
  };
}

const kinds = { user: TokenKind.USER, participant: TokenKind.TRANSCRIPTION } as const;

const reasons = {
  ok: ValidityReason.OK,
  malformed: ValidityReason.MALFORMED,
  algorithm: ValidityReason.ALGORITHM,
  signature: ValidityReason.SIGNATURE,
  expired: ValidityReason.EXPIRED,
  "not-yet-valid": ValidityReason.NOT_YET_VALID,
  issuer: ValidityReason.ISSUER,
  audience: ValidityReason.AUDIENCE,
  claim: ValidityReason.CLAIM,
  room: ValidityReason.ROOM,
  revoked: ValidityReason.REVOKED,
  lifetime: ValidityReason.LIFETIME,
} as const;

function readEntry(request: {
  roomName: string;
  participantIdentity: string;
  userId: string;
  userType: UserType;
  interviewType?: string;
}) {
  return {
    ...given("roomName", request.roomName),
    ...given("participantIdentity", request.participantIdentity),
    ...given("userId", request.userId),
    ...given("interviewType", request.interviewType),
    ...given("userType", userTypeFromProto(request.userType)),
  };
}

/** The asked targets; by default those of LIVEKIT and TRANSCRIPTION that are configured. */
function chooseTargets(asked: readonly Target[], dependencies: TokenServiceDependencies): readonly Target[] {
  if (asked.length === 0)
    return dependencies.livekit ? [Target.LIVEKIT, Target.TRANSCRIPTION] : [Target.TRANSCRIPTION];
  if (asked.includes(Target.LIVEKIT) && !dependencies.livekit) {
    throw new TokenRequestError(
      "not-configured",
      "targets: LIVEKIT is not configured; set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET",
    );
  }
  if (asked.includes(Target.JITSI) || asked.includes(Target.SFU)) {
    throw new TokenRequestError(
      "unsupported",
      "targets: this server makes tokens for LIVEKIT and TRANSCRIPTION only",
    );
  }
  return asked;
}

function secondsUntilFirst(tokens: readonly (IssuedToken | undefined)[], nowMs: number): number {
  const times = tokens.filter((token) => token !== undefined).map((token) => token.expireTime.getTime());
  return Math.max(0, Math.floor((Math.min(...times) - nowMs) / 1000));
}

/** Scheme and authority under which the caller reached this server. */
function originOf(context: HandlerContext): string {
  return new URL(context.url).origin;
}
