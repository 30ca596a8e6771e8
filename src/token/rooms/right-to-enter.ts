/** As what a user may enter a room, and which of two rights is the lesser. */
import type { StoredRoom, UserType } from "./room-store.ts";

/** From the most to the least that one may do. */
const ranks: readonly UserType[] = ["host", "presenter", "guest", "viewer"];

/** Undefined: not at all. */
export function rightToEnter(room: StoredRoom | undefined, userId: string): UserType | undefined {
  if (!room) return undefined;
  if (room.ownerUserId === userId) return "host";
  const member = room.members.find((candidate) => candidate.userId === userId);
  if (member) return member.userType;
  return room.access === "open" ? "guest" : undefined;
}

/** Whether `right` allows less than `than`; undefined allows nothing. */
export function isLess(right: UserType | undefined, than: UserType | undefined): boolean {
  return rankOf(right) > rankOf(than);
}

function rankOf(right: UserType | undefined): number {
  return right === undefined ? ranks.length : ranks.indexOf(right);
}
