/** CreateJitsiToken: a token and the meeting URL that carries it, for a user within their right. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { CreateJitsiTokenRequest, TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { ServiceCaller, UserCaller } from "../../../token/caller.ts";
import { enterRoom } from "../../../token/rooms/enter-room.ts";
import type { RoomStore } from "../../../token/rooms/room-store.ts";
import { checkMeeting, refusePattern } from "../../../token/targets/jitsi/check-meeting.ts";
import { privilegesForService, privilegesForUser } from "../../../token/targets/jitsi/choose-privileges.ts";
import type { JitsiPrivileges } from "../../../token/targets/jitsi/choose-privileges.ts";
import {
  checkJitsiContext,
  issueJitsiToken,
  jitsiTtlSeconds,
} from "../../../token/targets/jitsi/issue-token.ts";
import type { JitsiUser } from "../../../token/targets/jitsi/issue-token.ts";
import type { JitsiSettings } from "../../../token/targets/jitsi/jitsi-settings.ts";
import { notConfigured } from "../../../token/targets/required-variables.ts";
import { TokenRequestError } from "../../../token/token-error.ts";
import { checkEmail } from "../../../token/users/check-email.ts";
import { requireCaller } from "../../interceptors/credentials.ts";
import { given } from "../optional.ts";
import { secondsUntilFirst } from "./answer-token.ts";

export interface JitsiTokenDependencies {
  /** Absent: Jitsi is not configured. */
  readonly jitsi?: JitsiSettings;
  readonly rooms: Pick<RoomStore, "create" | "get" | "reserve" | "firstAlike">;
  readonly now: () => number;
}

export function jitsiTokenMethods(
  dependencies: JitsiTokenDependencies,
): Pick<ServiceImpl<typeof TokenService>, "createJitsiToken"> {
  const { jitsi, now } = dependencies;
  return {
    async createJitsiToken(request, context) {
      if (!jitsi) throw new TokenRequestError("not-configured", notConfigured("jitsi"));
      const caller = requireCaller(context, "user", "service");
      refusePattern(caller, request.roomName, request.context);
      if (request.context) checkJitsiContext(request.context);
      const privileges =
        caller.kind === "user"
          ? await privilegesOfUser(caller, request, dependencies)
          : privilegesForService(request);
      if (caller.kind === "service") await dependencies.rooms.reserve(request.roomName, new Date(now()));
      const issued = issueJitsiToken(
        {
          roomName: request.roomName,
          user: readUser(caller, request),
          privileges,
          ...given("group", readText("group", request.group)),
          ...(request.context && { context: request.context }),
          ttlSeconds: request.ttlSeconds ?? jitsiTtlSeconds,
        },
        jitsi,
        now(),
      );
      return {
        token: issued.token,
        url: issued.url,
        expireTime: timestampFromDate(issued.expireTime),
        expiresIn: secondsUntilFirst([issued], now()),
      };
    },
  };
}

async function privilegesOfUser(
  caller: UserCaller,
  request: CreateJitsiTokenRequest,
  { rooms, now }: JitsiTokenDependencies,
): Promise<JitsiPrivileges> {
  const { roomName, userId } = request;
  const entry = await enterRoom(caller, { roomName, ...given("userId", userId) }, rooms, now());
  await checkMeeting(roomName, rooms);
  return privilegesForUser(request, entry.userType);
}

/** Of a user what their login says, where they say nothing. */
function readUser(caller: UserCaller | ServiceCaller, request: CreateJitsiTokenRequest): JitsiUser {
  const login = caller.kind === "user" ? caller : undefined;
  checkEmail("user_email", request.userEmail, caller);
  return {
    ...given("id", readText("user_id", request.userId) || login?.userId),
    ...given("name", readText("user_name", request.userName) || login?.displayName),
    ...given("email", readText("user_email", request.userEmail) || login?.email),
    ...given("avatar", readUrl("avatar_url", request.avatarUrl)),
  };
}

/** Prosody writes it into XML, where a control character ends the stream. */
function readText(field: string, text: string): string {
  if (/\p{Cc}/u.test(text))
    throw new TokenRequestError("invalid", `${field}: expected no control characters`);
  return text;
}

function readUrl(field: string, text: string): string {
  if (text !== "" && !/^https?:$/.test(URL.parse(text)?.protocol ?? ""))
    throw new TokenRequestError("invalid", `${field}: expected a URL that begins with https:// or http://`);
  return readText(field, text);
}
