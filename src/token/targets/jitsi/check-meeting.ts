/**
 * Whose a Jitsi meeting is. Jitsi takes many names for one meeting, where Parley has as many rooms; and a room claim can be
 * made to open them all. So a right in a room is a right in a meeting only where the room has it.
 */
import type { ServiceCaller, UserCaller } from "../../caller.ts";
import type { RoomStore } from "../../rooms/room-store.ts";
import { ForbiddenError, TokenRequestError } from "../../token-error.ts";

/** For users; a service may bring anyone anywhere. Throws ForbiddenError. */
export async function checkMeeting(roomName: string, rooms: Pick<RoomStore, "firstAlike">): Promise<void> {
  const first = await rooms.firstAlike(roomName);
  if (first === undefined || first === roomName) return;
  throw new ForbiddenError(
    "room_name: Jitsi does not tell upper from lower case, and another room has this name there",
  );
}

/**
 * Refuses a room claim that would be `*`, and a context that would make a pattern of it: as forbidden to a user, as wrong to a
 * service, since Parley makes no such token for anybody.
 */
export function refusePattern(
  { kind }: UserCaller | ServiceCaller,
  roomName: string,
  context: Readonly<Record<string, unknown>> | undefined,
): void {
  const field = roomName.includes("*")
    ? "room_name"
    : context && "room" in context
      ? "context.room"
      : undefined;
  if (field === undefined) return;
  const message = `${field}: a token opens one room; \`*\` and patterns are not allowed`;
  throw kind === "user" ? new ForbiddenError(message) : new TokenRequestError("invalid", message);
}
