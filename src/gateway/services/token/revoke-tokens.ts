/** RevokeTokens: who may take back what, and what then holds where. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { RevocationEffect, Target } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { RevokeTokensRequest, TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { UserCaller } from "../../../token/caller.ts";
import { maxLifetimeSeconds } from "../../../token/keys/jwt-settings.ts";
import type { RevocationSelector } from "../../../token/revocation/revocation-store.ts";
import type { Revocations } from "../../../token/revocation/revocations.ts";
import type { RoomStore } from "../../../token/rooms/room-store.ts";
import { ForbiddenError, TokenRequestError } from "../../../token/token-error.ts";
import { requireCaller } from "../../interceptors/credentials.ts";

export interface RevokeDependencies {
  readonly revocations: Pick<Revocations, "revoke">;
  readonly rooms: Pick<RoomStore, "get">;
  /** Removes who is in a LiveKit room; how many. Never rejects. Absent: LiveKit is not configured. */
  readonly removeParticipants?: (selector: RevocationSelector) => Promise<number>;
  readonly jitsi?: object;
  readonly sfu?: object;
  readonly now: () => number;
}

export function revokeMethods(
  dependencies: RevokeDependencies,
): Pick<ServiceImpl<typeof TokenService>, "revokeTokens"> {
  const { revocations, rooms, removeParticipants, now } = dependencies;
  // Servers that do not ask whether a token was revoked.
  const otherTargets = [
    ...(removeParticipants ? [Target.LIVEKIT] : []),
    ...(dependencies.jitsi ? [Target.JITSI] : []),
    ...(dependencies.sfu ? [Target.SFU] : []),
  ];
  return {
    async revokeTokens(request, context) {
      const caller = requireCaller(context, "user", "service");
      const asked = readSelector(request.selector);
      const selector = caller.kind === "user" ? await limitToOwn(caller, asked, rooms) : asked;
      const endedStreams = await revocations.revoke(selector);
      const removedParticipants = (await removeParticipants?.(selector)) ?? 0;
      const validUntilTime = timestampFromDate(new Date(now() + maxLifetimeSeconds * 1000));
      return {
        outcomes: [
          { target: Target.TRANSCRIPTION, effect: RevocationEffect.ENFORCED },
          ...otherTargets.map((target) => ({
            target,
            effect: RevocationEffect.VALID_UNTIL_EXPIRY,
            validUntilTime,
          })),
        ],
        endedStreams,
        removedParticipants,
      };
    },
  };
}

function readSelector({ case: kind, value }: RevokeTokensRequest["selector"]): RevocationSelector {
  switch (kind) {
    case "tokenId":
      return { tokenId: value };
    case "userId":
      return { userId: value };
    case "roomName":
      return { roomName: value };
    case undefined:
      throw new TokenRequestError("invalid", "send token_id, user_id or room_name");
  }
}

/** Throws ForbiddenError. */
async function limitToOwn(
  { userId }: UserCaller,
  selector: RevocationSelector,
  rooms: Pick<RoomStore, "get">,
): Promise<RevocationSelector> {
  // Issued tokens are not stored, so nobody can say here whose one is. What is stored is that this user takes it back: it
  // has an effect only on a token that names the same user.
  if ("tokenId" in selector) return { ...selector, userId };
  if ("userId" in selector) {
    if (selector.userId === userId) return selector;
    throw new ForbiddenError("user_id: a user may revoke only their own tokens");
  }
  const room = await rooms.get(selector.roomName);
  if (room?.ownerUserId === userId) return selector;
  throw new ForbiddenError("room_name: no such room, or it is not yours");
}
