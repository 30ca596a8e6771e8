/** Whether who was let into a room before may still enter it, and as what. */
import type { ApiKeyStore } from "../api-keys/api-key-store.ts";
import type { Entry } from "../rooms/enter-room.ts";
import { isLess, rightToEnter } from "../rooms/right-to-enter.ts";
import type { RoomStore } from "../rooms/room-store.ts";
import { ForbiddenError } from "../token-error.ts";
import type { RefreshGrant } from "./refresh-token.ts";

export interface RenewDependencies {
  readonly rooms: Pick<RoomStore, "get">;
  readonly apiKeys: Pick<ApiKeyStore, "get">;
}

/** With a right that has become less, what is left of it. Throws ForbiddenError when it is gone. */
export async function renewEntry(
  grant: RefreshGrant,
  { rooms, apiKeys }: RenewDependencies,
  nowMs: number,
): Promise<Entry> {
  const { userId, roomName, participantIdentity, userType, apiKeyId } = grant;
  const entry = { userId, roomName, participantIdentity, userType };
  if (apiKeyId !== undefined) {
    const key = await apiKeys.get(apiKeyId);
    const isGood =
      key?.scopes.includes("tokens") === true &&
      key.revokeTime === undefined &&
      (key.expireTime === undefined || key.expireTime.getTime() > nowMs);
    if (isGood) return entry;
    throw new ForbiddenError("refresh_token: the API key that asked for these tokens may do so no more");
  }
  const room = await rooms.get(roomName);
  const right = rightToEnter(room, userId);
  if (!room || right === undefined)
    throw new ForbiddenError("refresh_token: you may not enter this room any more");
  return { ...entry, room, userType: isLess(right, userType) ? right : userType };
}
