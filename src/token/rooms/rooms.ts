/**
 * Rooms as users and services make, see, change and delete them: a user their own, a service everybody's. Keeps the same
 * rooms on LiveKit where it is configured, and has tokens revoked whose right is gone. Who may enter is enter-room.ts's.
 *
 * First the right goes, then its tokens, so that no new one comes in between. What is lost is stored with the change, and
 * forgotten when it is revoked: a call that failed half-way is finished by its repetition, or by the next change.
 */
import { randomUUID } from "node:crypto";
import type { Page, PageRequest } from "../../page.ts";
import type { ServiceCaller, UserCaller } from "../caller.ts";
import { isName } from "../read-name.ts";
import type { RevocationSelector } from "../revocation/revocation-store.ts";
import { ForbiddenError, TokenRequestError } from "../token-error.ts";
import { whoLoses } from "./lost-rights.ts";
import type { LostRight, RoomMember, RoomSelector, RoomStore, StoredRoom } from "./room-store.ts";

export interface RoomsOptions {
  readonly store: RoomStore;
  /** Takes back the tokens that were issued until now, and puts out whoever is in by them. Safe to repeat. */
  readonly revoke: (selector: RevocationSelector) => Promise<unknown>;
  /** Absent: rooms are nowhere but here. */
  readonly mirror?: RoomMirror;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Another server that has the same rooms. What it does not do stops nothing: these never reject. */
export interface RoomMirror {
  createRoom(room: StoredRoom): Promise<void>;
  updateRoom(before: StoredRoom, after: StoredRoom): Promise<void>;
  deleteRoom(roomName: string): Promise<void>;
}

export interface NewRoom extends RoomSettings {
  readonly roomName: string;
  /** Who shall own it. Absent: the caller, who must be a user. */
  readonly ownerUserId?: string;
}

/** Absent: the default of a new room, or as it was. */
export interface RoomSettings {
  /** Default "invited". */
  readonly access?: StoredRoom["access"];
  /** Each user once. Default none. */
  readonly members?: readonly RoomMember[];
  /** Participants at once; 0, the default: no limit. */
  readonly maxParticipants?: number;
  /** Default empty. */
  readonly metadata?: string;
}

type RoomCaller = UserCaller | ServiceCaller;

const maxOwnedRooms = 1000;
/** More losers than so many are taken for everybody, so that no change leaves many revocations behind. */
export const maxNamedLosers = 20;

/** All of it throws ForbiddenError and TokenRequestError. */
export class Rooms {
  readonly #options: RoomsOptions;

  constructor(options: RoomsOptions) {
    this.#options = options;
  }

  /** TokenRequestError: `invalid`, `already-exists`, `limit`. */
  async create(caller: RoomCaller, request: NewRoom): Promise<StoredRoom> {
    const { store, mirror, now } = this.#options;
    const ownerUserId = ownerOf(caller, request);
    checkName("room_name", request.roomName);
    checkName("owner_user_id", ownerUserId);
    checkMembers(request.members);
    const room = {
      access: "invited",
      members: [],
      ...request,
      ownerUserId,
      createTime: new Date(now()),
    } as const;
    const overReserved = caller.kind === "service";
    switch (await store.createWithin(room, maxOwnedRooms, { overReserved })) {
      case "taken":
        throw new TokenRequestError("already-exists", "room_name: taken");
      case "limit":
        throw new TokenRequestError("limit", `a user may own at most ${maxOwnedRooms} rooms; delete one`);
      case "created":
        await mirror?.createRoom(room);
        return room;
    }
  }

  /** TokenRequestError `not-found`, also for a room of somebody else. */
  async get(caller: RoomCaller, roomName: string): Promise<StoredRoom> {
    const room = await this.#options.store.get(roomName);
    if (!room || (caller.kind === "user" && room.ownerUserId !== caller.userId)) throw notFound(caller);
    return room;
  }

  /** A user sees their own. Newest first. */
  list(caller: RoomCaller, page: PageRequest): Promise<Page<StoredRoom>> {
    return this.#options.store.list(caller.kind === "user" ? { ownerUserId: caller.userId } : {}, page);
  }

  /** TokenRequestError: `invalid`, `not-found`. Rejects, when tokens cannot be revoked, with the change made; repeat it. */
  async update(caller: RoomCaller, roomName: string, settings: RoomSettings): Promise<StoredRoom> {
    const { store, mirror } = this.#options;
    checkMembers(settings.members);
    const updated = await store.update(select(caller, roomName), (room) => ({
      ...settings,
      lostRights: addLost(room.lostRights ?? [], whoLoses(room, { ...room, ...settings })),
    }));
    if (!updated) throw notFound(caller);
    const { before, after } = updated;
    await Promise.all([this.#settle(roomName, after.lostRights ?? []), mirror?.updateRoom(before, after)]);
    return after;
  }

  /** TokenRequestError `not-found`. Rejects, when tokens cannot be revoked, with the room deleted; repeat it. */
  async delete(caller: RoomCaller, roomName: string): Promise<void> {
    const { store, mirror } = this.#options;
    const lostRights = await store.delete(select(caller, roomName), { lostRightId: randomUUID() });
    if (lostRights.length === 0) throw notFound(caller);
    await Promise.all([this.#settle(roomName, lostRights), mirror?.deleteRoom(roomName)]);
  }

  async #settle(roomName: string, lostRights: readonly LostRight[]): Promise<void> {
    if (lostRights.length === 0) return;
    const { store, revoke } = this.#options;
    await Promise.all(tokensOf(roomName, lostRights).map(revoke));
    await store.settle(
      roomName,
      lostRights.map(({ lostRightId }) => lostRightId),
    );
  }
}

function ownerOf(caller: RoomCaller, { ownerUserId }: NewRoom): string {
  if (caller.kind === "service") {
    if (ownerUserId !== undefined) return ownerUserId;
    throw new TokenRequestError("invalid", "owner_user_id: a service must name the owner");
  }
  if (ownerUserId === undefined || ownerUserId === caller.userId) return caller.userId;
  throw new ForbiddenError("owner_user_id: a user may send only their own id");
}

function checkName(field: string, value: string): void {
  if (!isName(value)) throw new TokenRequestError("invalid", `${field}: not a name that a token can carry`);
}

function checkMembers(members: readonly RoomMember[] = []): void {
  const seen = new Set<string>();
  for (const [index, { userId }] of members.entries()) {
    const field = `members[${index}].user_id`;
    checkName(field, userId);
    if (seen.has(userId)) throw new TokenRequestError("invalid", `${field}: listed before`);
    seen.add(userId);
  }
}

function select(caller: RoomCaller, roomName: string): RoomSelector {
  return caller.kind === "user" ? { roomName, ownerUserId: caller.userId } : { roomName };
}

function notFound(caller: RoomCaller): TokenRequestError {
  const orNotYours = caller.kind === "user" ? ", or it is not yours" : "";
  return new TokenRequestError("not-found", `room_name: no such room${orNotYours}`);
}

/** `pending` with those who lose now, as few as it takes. */
function addLost(
  pending: readonly LostRight[],
  losers: readonly string[] | "everybody",
): readonly LostRight[] {
  if (losers === "everybody" || pending.length + losers.length > maxNamedLosers) {
    return [{ lostRightId: randomUUID() }];
  }
  return [...pending, ...losers.map((userId) => ({ lostRightId: randomUUID(), userId }))];
}

function tokensOf(roomName: string, lostRights: readonly LostRight[]): RevocationSelector[] {
  const users = lostRights.flatMap(({ userId }) => (userId === undefined ? [] : [userId]));
  if (users.length < lostRights.length) return [{ roomName }];
  return [...new Set(users)].map((userId) => ({ roomName, userId }));
}
