/** CreateSfuToken: a token for the SFU, for a user within their right. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import { enterRoom } from "../../../token/rooms/enter-room.ts";
import type { RoomStore } from "../../../token/rooms/room-store.ts";
import { notConfigured } from "../../../token/targets/required-variables.ts";
import { issueSfuToken, sfuTtlSeconds } from "../../../token/targets/sfu/issue-token.ts";
import type { SfuSettings } from "../../../token/targets/sfu/issue-token.ts";
import { TokenRequestError } from "../../../token/token-error.ts";
import { checkEmail } from "../../../token/users/check-email.ts";
import { requireCaller } from "../../interceptors/credentials.ts";
import { given } from "../optional.ts";
import { secondsUntilFirst } from "./answer-token.ts";
import { userTypeFromProto } from "./user-type.ts";

export interface SfuTokenDependencies {
  /** Absent: the SFU is not configured. */
  readonly sfu?: SfuSettings;
  readonly rooms: Pick<RoomStore, "create" | "get" | "reserve">;
  readonly now: () => number;
}

export function sfuTokenMethods(
  dependencies: SfuTokenDependencies,
): Pick<ServiceImpl<typeof TokenService>, "createSfuToken"> {
  const { sfu, rooms, now } = dependencies;
  return {
    async createSfuToken(request, context) {
      if (!sfu) throw new TokenRequestError("not-configured", notConfigured("sfu"));
      const caller = requireCaller(context, "user", "service");
      if (caller.kind === "service" && request.userId === "")
        throw new TokenRequestError("invalid", "user_id: a service must name the user");
      checkEmail("email", request.email, caller);
      const entry = await enterRoom(
        caller,
        {
          roomName: request.roomName,
          ...given("userId", request.userId),
          ...given("userType", userTypeFromProto(request.userType)),
          // The SFU knows no other name of a participant.
          ...(caller.kind === "service" && { participantIdentity: request.userId }),
        },
        rooms,
        now(),
      );
      const login = caller.kind === "user" ? caller : undefined;
      const issued = issueSfuToken(
        {
          userId: entry.userId,
          roomName: entry.roomName,
          userType: entry.userType,
          ...given("email", request.email === "" ? login?.email : request.email),
          ttlSeconds: request.ttlSeconds ?? sfuTtlSeconds,
        },
        sfu,
        now(),
      );
      return {
        token: issued.token,
        url: sfu.url,
        expireTime: timestampFromDate(issued.expireTime),
        expiresIn: secondsUntilFirst([issued], now()),
      };
    },
  };
}
