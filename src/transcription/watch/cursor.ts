/** A place in a room's log as watchers are told it: the number of the last event they have, and which room it is of. */
import { createHash } from "node:crypto";
import { SessionError } from "../session-error.ts";

/** At most 30 characters. */
export function writeCursor(roomName: string, position: number): string {
  return `${position.toString(36)}.${roomTag(roomName)}`;
}

/** Throws SessionError `invalid` for what is no cursor, or one of another room. */
export function readCursor(roomName: string, cursor: string): number {
  const [, position, tag] = /^([0-9a-z]{1,10})\.([A-Za-z0-9_-]{16})$/.exec(cursor) ?? [];
  if (position === undefined || tag !== roomTag(roomName)) {
    throw new SessionError(
      "invalid",
      "cursor: not one of this room or session; send the last one that a watch of it gave, or nothing",
    );
  }
  return Number.parseInt(position, 36);
}

/** Short, and says nothing about the name. */
export function roomTag(roomName: string): string {
  return createHash("sha256").update(roomName).digest("base64url").slice(0, 16);
}
