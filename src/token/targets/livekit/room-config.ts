/**
 * What a LiveKit token says of the room, for the case that LiveKit makes the room when its bearer joins: the claim
 * `roomConfig`, LiveKit's RoomConfiguration in protobuf JSON (livekit_room.proto). A room that is open there already stays as
 * it is, whatever the token says.
 */
import type { StoredRoom } from "../../rooms/room-store.ts";

export interface RoomConfig {
  readonly maxParticipants?: number;
  readonly metadata?: string;
}

/** As JSON. With more, a token would outgrow what proxies take of a URL, and the 8 KiB that Parley takes of a token. */
const maxMetadataBytes = 2048;

/** Undefined when there is nothing to say. Longer metadata than a token can carry is left out. */
export function roomConfigOf(room: StoredRoom): RoomConfig | undefined {
  const { maxParticipants = 0, metadata = "" } = room;
  const carries = metadata !== "" && Buffer.byteLength(JSON.stringify(metadata)) <= maxMetadataBytes;
  if (maxParticipants === 0 && !carries) return undefined;
  return { ...(maxParticipants > 0 && { maxParticipants }), ...(carries && { metadata }) };
}
