/** Decides who enters which room as what, and makes the room when none was named. Mints nothing. */
import type { ServiceCaller, UserCaller } from "../caller.ts";
import { isName } from "../read-name.ts";
import { isLess, rightToEnter } from "./right-to-enter.ts";
import type { RoomStore, StoredRoom, UserType } from "./room-store.ts";
import { ForbiddenError, TokenRequestError } from "../token-error.ts";

export interface EntryRequest {
  readonly roomName?: string;
  readonly participantIdentity?: string;
  readonly interviewType?: string;
  readonly userId?: string;
  readonly userType?: UserType;
}

export interface Entry {
  readonly roomName: string;
  readonly participantIdentity: string;
  /** Who will own the session. */
  readonly userId: string;
  readonly userType: UserType;
  /** As it is now; absent when the right did not depend on it. */
  readonly room?: StoredRoom;
}

/** What entering needs of the rooms. */
export type EntryRooms = Pick<RoomStore, "create" | "get" | "reserve">;

/** Throws ForbiddenError, or TokenRequestError `invalid`. */
export async function enterRoom(
  caller: UserCaller | ServiceCaller,
  request: EntryRequest,
  rooms: EntryRooms,
  nowMs: number,
): Promise<Entry> {
  return caller.kind === "user"
    ? enterAsUser(caller, request, rooms, nowMs)
    : enterForService(request, rooms, nowMs);
}

async function enterAsUser(
  caller: UserCaller,
  request: EntryRequest,
  rooms: EntryRooms,
  nowMs: number,
): Promise<Entry> {
  const { userId } = caller;
  for (const [field, value] of [
    ["participant_identity", request.participantIdentity],
    ["user_id", request.userId],
  ] as const) {
    if (value !== undefined && value !== userId)
      throw new ForbiddenError(`${field}: a user may send only their own id`);
  }
  const { roomName } = request;
  if (roomName === undefined) {
    const room = await makeRoom(userId, request.interviewType, rooms, nowMs);
    return {
      roomName: room.roomName,
      participantIdentity: userId,
      userId,
      userType: request.userType ?? "host",
      room,
    };
  }
  const room = await rooms.get(roomName);
  const right = rightToEnter(room, userId);
  if (!room || right === undefined) {
    throw new ForbiddenError(
      "room_name: no such room, or you may not enter it; ask its owner, or make one with CreateRoom",
    );
  }
  const userType = request.userType ?? right;
  if (isLess(right, userType)) {
    throw new ForbiddenError(`user_type: you may enter this room as ${right.toUpperCase()} at most`);
  }
  return { roomName, participantIdentity: userId, userId, userType, room };
}

async function enterForService(request: EntryRequest, rooms: EntryRooms, nowMs: number): Promise<Entry> {
  const { participantIdentity } = request;
  if (participantIdentity === undefined) {
    throw new TokenRequestError("invalid", "participant_identity: a service must name the participant");
  }
  for (const [field, value] of [
    ["participant_identity", participantIdentity],
    ["user_id", request.userId],
    ["room_name", request.roomName],
  ] as const) {
    if (value !== undefined && !isName(value))
      throw new TokenRequestError("invalid", `${field}: not a name that a token can carry`);
  }
  const userId = request.userId ?? participantIdentity;
  const userType = request.userType ?? "host";
  if (request.roomName !== undefined) {
    await rooms.reserve(request.roomName, new Date(nowMs));
    return { roomName: request.roomName, participantIdentity, userId, userType };
  }
  const room = await makeRoom(userId, request.interviewType, rooms, nowMs);
  return { roomName: room.roomName, participantIdentity, userId, userType, room };
}

const maxRoomNameLength = 128;

/** `<interview_type or "room">-<user>-<time>`; tried again with a later time when the name is taken. */
async function makeRoom(
  userId: string,
  interviewType: string | undefined,
  rooms: EntryRooms,
  nowMs: number,
): Promise<StoredRoom> {
  for (let time = nowMs; ; time++) {
    const user = userId.replace(/[^A-Za-z0-9_-]+/g, "-");
    const name = (part: string) => `${interviewType ?? "room"}-${part}-${time.toString(36)}`;
    const roomName = name(user.slice(0, maxRoomNameLength - name("").length));
    const room: StoredRoom = {
      roomName,
      ownerUserId: userId,
      access: "invited",
      members: [],
      createTime: new Date(nowMs),
    };
    if (await rooms.create(room)) return room;
  }
}
