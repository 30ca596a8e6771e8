/** CreateSessionTokens, CreateTranscriptionToken and RefreshToken: everything that it takes to enter a room, and to stay. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { UserType } from "../../../../gen/ts/parley/token/v1/room_pb.ts";
import { Target } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type {
  CreateSessionTokensRequest,
  CreateSessionTokensResponseSchema,
  TokenService,
} from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { ApiKeyStore } from "../../../token/api-keys/api-key-store.ts";
import type { ServiceCaller, UserCaller } from "../../../token/caller.ts";
import type { RefreshGrant, SessionTarget } from "../../../token/refresh/refresh-token.ts";
import type { RefreshTokens } from "../../../token/refresh/refresh-tokens.ts";
import { renewEntry } from "../../../token/refresh/renew-entry.ts";
import { enterRoom } from "../../../token/rooms/enter-room.ts";
import type { Entry } from "../../../token/rooms/enter-room.ts";
import type { RoomStore } from "../../../token/rooms/room-store.ts";
import { issueSessionTokens } from "../../../token/targets/issue-session-tokens.ts";
import type { SessionTokens, TargetSettings } from "../../../token/targets/issue-session-tokens.ts";
import { issueTranscriptionToken } from "../../../token/targets/transcription/issue-token.ts";
import { checkMeeting } from "../../../token/targets/jitsi/check-meeting.ts";
import { notConfigured } from "../../../token/targets/required-variables.ts";
import { TokenRequestError } from "../../../token/token-error.ts";
import { checkEmail } from "../../../token/users/check-email.ts";
import { noteForAudit } from "../../interceptors/audit.ts";
import { requireCaller } from "../../interceptors/credentials.ts";
import { given } from "../optional.ts";
import { originOf, secondsUntilFirst } from "./answer-token.ts";
import { userTypeFromProto, userTypeToProto } from "./user-type.ts";

export interface SessionTokenDependencies extends TargetSettings {
  readonly rooms: RoomStore;
  readonly apiKeys: Pick<ApiKeyStore, "get">;
  readonly refreshTokens: RefreshTokens;
  readonly now: () => number;
}

type Methods = "createSessionTokens" | "createTranscriptionToken" | "refreshToken";

export function sessionTokenMethods(
  dependencies: SessionTokenDependencies,
): Pick<ServiceImpl<typeof TokenService>, Methods> {
  const { jwt, rooms, refreshTokens, now } = dependencies;
  return {
    async createSessionTokens(request, context) {
      const targets = chooseTargets(request.targets, dependencies);
      const caller = requireCaller(context, "user", "service");
      const person = readPerson(request, caller);
      // From before the right is read, so that a revocation that comes after concerns these tokens.
      const nowMs = now();
      const entry = await enterRoom(caller, readEntry(request), rooms, nowMs);
      const { userId, roomName, participantIdentity, userType } = entry;
      if (caller.kind === "user" && targets.includes("jitsi")) await checkMeeting(roomName, rooms);
      const family = refreshTokens.begin(
        {
          userId,
          roomName,
          participantIdentity,
          userType,
          targets,
          ...person,
          ...(caller.kind === "service" && { apiKeyId: caller.apiKeyId }),
        },
        nowMs,
      );
      const tokens = issueSessionTokens(
        { entry, targets, ...person, familyId: family.familyId },
        dependencies,
        nowMs,
      );
      return describe(entry, tokens, family.token, dependencies, context);
    },

    async createTranscriptionToken(request, context) {
      const caller = requireCaller(context, "user", "service");
      const nowMs = now(); // from before the right is read, as above
      const entry = await enterRoom(caller, readEntry(request), rooms, nowMs);
      const issued = issueTranscriptionToken(
        { ...entry, ttlSeconds: request.ttlSeconds ?? jwt.expirySeconds },
        jwt,
        nowMs,
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

    async refreshToken(request, context) {
      const spent = refreshTokens.read(request.refreshToken);
      const { userId, roomName, participantIdentity } = spent.grant;
      noteForAudit(context, {
        actor: `user:${userId}`,
        subject: { room_name: roomName, participant_identity: participantIdentity },
      });
      const entry = await renewEntry(spent.grant, dependencies, now());
      const targets = spent.grant.targets.filter((target) => isConfigured(target, dependencies));
      if (spent.grant.apiKeyId === undefined && targets.includes("jitsi"))
        await checkMeeting(roomName, rooms);
      const next = await refreshTokens.spend(spent);
      const tokens = issueSessionTokens(
        { ...spent.grant, entry, targets, familyId: spent.familyId },
        dependencies,
        now(),
      );
      return { tokens: describe(entry, tokens, next, dependencies, context) };
    },
  };
}

function describe(
  entry: Entry,
  { livekit, transcription, jitsi, sfu }: SessionTokens,
  refreshToken: string,
  { livekit: livekitServer, sfu: sfuServer, now }: SessionTokenDependencies,
  context: HandlerContext,
): MessageInitShape<typeof CreateSessionTokensResponseSchema> {
  return {
    roomName: entry.roomName,
    participantIdentity: entry.participantIdentity,
    userType: userTypeToProto(entry.userType),
    expiresIn: secondsUntilFirst([livekit, transcription, jitsi, sfu], now()),
    refreshToken,
    ...(transcription && {
      transcriptionToken: transcription.token,
      transcriptionUrl: originOf(context),
      transcriptionExpireTime: timestampFromDate(transcription.expireTime),
    }),
    ...(livekit && {
      livekitToken: livekit.token,
      livekitUrl: livekitServer?.url ?? "",
      livekitExpireTime: timestampFromDate(livekit.expireTime),
    }),
    ...(jitsi && {
      jitsiToken: jitsi.token,
      jitsiUrl: jitsi.url,
      jitsiExpireTime: timestampFromDate(jitsi.expireTime),
    }),
    ...(sfu && {
      sfuToken: sfu.token,
      sfuUrl: sfuServer?.url ?? "",
      sfuExpireTime: timestampFromDate(sfu.expireTime),
    }),
  };
}

/** What others are shown of the participant: as the request says, or as the user's login does. Throws ForbiddenError. */
function readPerson(
  request: CreateSessionTokensRequest,
  caller: UserCaller | ServiceCaller,
): Pick<RefreshGrant, "participantName" | "participantEmail"> {
  const login = caller.kind === "user" ? caller : undefined;
  const email = request.participantEmail;
  checkEmail("participant_email", email, caller);
  return {
    ...given(
      "participantName",
      request.participantName === "" ? login?.displayName : request.participantName,
    ),
    ...given("participantEmail", email === "" ? login?.email : email),
  };
}

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

const sessionTargets: Readonly<Partial<Record<Target, SessionTarget>>> = {
  [Target.LIVEKIT]: "livekit",
  [Target.TRANSCRIPTION]: "transcription",
  [Target.JITSI]: "jitsi",
  [Target.SFU]: "sfu",
};

/** The asked targets; by default those of LIVEKIT and TRANSCRIPTION that are configured. Throws TokenRequestError. */
function chooseTargets(asked: readonly Target[], settings: TargetSettings): readonly SessionTarget[] {
  if (asked.length === 0) return settings.livekit ? ["livekit", "transcription"] : ["transcription"];
  return asked.map((number) => {
    const target = sessionTargets[number] ?? "transcription"; // validation has let only these through
    if (target === "transcription" || isConfigured(target, settings)) return target;
    throw new TokenRequestError("not-configured", `targets: ${notConfigured(target)}`);
  });
}

function isConfigured(target: SessionTarget, { livekit, jitsi, sfu }: TargetSettings): boolean {
  return { transcription: true, livekit: !!livekit, jitsi: !!jitsi, sfu: !!sfu }[target];
}
