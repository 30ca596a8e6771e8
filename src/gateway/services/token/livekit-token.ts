/** CreateLiveKitToken: a token with just the asked grants, for a user within their right. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { CreateLiveKitTokenRequest, TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { UserCaller } from "../../../token/caller.ts";
import { isName } from "../../../token/read-name.ts";
import { enterRoom } from "../../../token/rooms/enter-room.ts";
import { rightToEnter } from "../../../token/rooms/right-to-enter.ts";
import type { RoomStore } from "../../../token/rooms/room-store.ts";
import {
  asksToJoin,
  grantsForService,
  grantsForUser,
  nothingAsked,
  refuseAdministration,
} from "../../../token/targets/livekit/choose-grants.ts";
import type { AskedGrants } from "../../../token/targets/livekit/choose-grants.ts";
import { issueLiveKitGrants, liveKitTtlSeconds } from "../../../token/targets/livekit/issue-token.ts";
import type { LiveKitGrantRequest, LiveKitSettings } from "../../../token/targets/livekit/issue-token.ts";
import { checkRoomConfigOfUser, readRoomConfig } from "../../../token/targets/livekit/read-room-config.ts";
import { roomConfigOf } from "../../../token/targets/livekit/room-config.ts";
import { isReservedAttribute } from "../../../token/targets/livekit/user-attribute.ts";
import { notConfigured } from "../../../token/targets/required-variables.ts";
import { ForbiddenError, TokenRequestError } from "../../../token/token-error.ts";
import { requireCaller } from "../../interceptors/credentials.ts";
import { given } from "../optional.ts";
import { secondsUntilFirst } from "./answer-token.ts";

export interface LiveKitTokenDependencies {
  /** Absent: LiveKit is not configured. */
  readonly livekit?: LiveKitSettings;
  readonly rooms: Pick<RoomStore, "create" | "get" | "reserve">;
  readonly now: () => number;
}

export function liveKitTokenMethods(
  dependencies: LiveKitTokenDependencies,
): Pick<ServiceImpl<typeof TokenService>, "createLiveKitToken"> {
  const { livekit, now } = dependencies;
  return {
    async createLiveKitToken(request, context) {
      if (!livekit) throw new TokenRequestError("not-configured", notConfigured("livekit"));
      const caller = requireCaller(context, "user", "service");
      const asked = request.permissions ?? nothingAsked;
      checkAttributes(request.attributes);
      const right =
        caller.kind === "user"
          ? await grantToUser(caller, asked, request, dependencies)
          : await grantToService(asked, request, dependencies);
      const issued = issueLiveKitGrants(
        {
          ...right,
          ...given("participantName", request.participantName),
          ...given("metadata", request.metadata),
          ...(Object.keys(request.attributes).length > 0 && { attributes: request.attributes }),
          ttlSeconds: request.ttlSeconds ?? liveKitTtlSeconds,
        },
        livekit,
        now(),
      );
      return {
        token: issued.token,
        url: livekit.url,
        expireTime: timestampFromDate(issued.expireTime),
        expiresIn: secondsUntilFirst([issued], now()),
        roomName: request.roomName,
        participantIdentity: right.participantIdentity ?? "",
      };
    },
  };
}

type Right = Pick<LiveKitGrantRequest, "grants" | "participantIdentity" | "roomConfig">;

async function grantToUser(
  caller: UserCaller,
  asked: AskedGrants,
  request: CreateLiveKitTokenRequest,
  { rooms, now }: LiveKitTokenDependencies,
): Promise<Right> {
  refuseAdministration(asked);
  if (request.roomName === "") throw new TokenRequestError("invalid", "room_name: a user must name the room");
  const entry = await enterRoom(
    caller,
    { roomName: request.roomName, ...given("participantIdentity", request.participantIdentity) },
    rooms,
    now(),
  );
  const grants = grantsForUser(asked, request.roomName, entry.userType);
  const { destinationRoom } = asked;
  if (destinationRoom !== "" && !rightToEnter(await rooms.get(destinationRoom), caller.userId))
    throw new ForbiddenError("permissions.destination_room: no such room, or you may not enter it");
  const wanted = request.roomConfig && (await readRoomConfig(request.roomConfig));
  if (wanted && entry.userType !== "host")
    throw new ForbiddenError("room_config: only a HOST of the room may ask for it");
  if (wanted) checkRoomConfigOfUser(wanted);
  // What the owner has set holds, whatever a host asks for.
  const config = { ...wanted, ...(entry.room && roomConfigOf(entry.room)) };
  return {
    grants,
    participantIdentity: entry.participantIdentity,
    ...(Object.keys(config).length > 0 && { roomConfig: config }),
  };
}

async function grantToService(
  asked: AskedGrants,
  request: CreateLiveKitTokenRequest,
  { rooms, now }: LiveKitTokenDependencies,
): Promise<Right> {
  for (const [field, value] of [
    ["room_name", request.roomName],
    ["participant_identity", request.participantIdentity],
  ] as const) {
    if (value === "" && asksToJoin(asked))
      throw new TokenRequestError("invalid", `${field}: required with permissions.room_join`);
    if (value !== "" && !isName(value))
      throw new TokenRequestError("invalid", `${field}: not a name that a token can carry`);
  }
  if (request.roomName !== "") await rooms.reserve(request.roomName, new Date(now()));
  return {
    grants: grantsForService(asked, request.roomName === "" ? undefined : request.roomName),
    ...given("participantIdentity", request.participantIdentity),
    ...(request.roomConfig && { roomConfig: await readRoomConfig(request.roomConfig) }),
  };
}

/** Throws TokenRequestError. Names are the caller's own words, which are not told back. */
function checkAttributes(attributes: Readonly<Record<string, string>>): void {
  if (Object.keys(attributes).some(isReservedAttribute)) {
    throw new TokenRequestError(
      "invalid",
      'attributes: names that begin with "parley." or "lk." are Parley\'s and LiveKit\'s own',
    );
  }
}
