/** Whose right to enter a room, or how much of it, a change of the room takes away. */
import { isLess, rightToEnter } from "./right-to-enter.ts";
import type { StoredRoom } from "./room-store.ts";

/** Users who may do less than before. `everybody`: nobody knows who they are, and those who keep their right are among them. */
export function whoLoses(before: StoredRoom, after: StoredRoom): readonly string[] | "everybody" {
  // Whoever came may have entered it.
  if (before.access === "open" && after.access === "invited") return "everybody";
  const listed = new Set([...before.members, ...after.members].map(({ userId }) => userId));
  const rightBefore = rightsIn(before);
  const rightAfter = rightsIn(after);
  return [...listed].filter((userId) => isLess(rightAfter(userId), rightBefore(userId)));
}

/** As `rightToEnter`, for many users of one room. */
function rightsIn(room: StoredRoom) {
  const members = new Map(room.members.map((member) => [member.userId, member]));
  return (userId: string) => {
    const member = members.get(userId);
    return rightToEnter({ ...room, members: member ? [member] : [] }, userId);
  };
}
