/** What rooms need of a database. Implemented in storage/. */
import type { Page, PageRequest } from "../../page.ts";

export type UserType = "host" | "presenter" | "guest" | "viewer";

export interface RoomMember {
  readonly userId: string;
  readonly userType: UserType;
}

export interface StoredRoom {
  readonly roomName: string;
  readonly ownerUserId: string;
  readonly access: "open" | "invited";
  readonly members: readonly RoomMember[];
  /** Participants at once. Absent: no limit. */
  readonly maxParticipants?: number;
  /** The app's own. Absent: none. */
  readonly metadata?: string;
  readonly createTime: Date;
  /** Rights that are gone, whose tokens have still to be revoked. Absent: none. */
  readonly lostRights?: readonly LostRight[];
}

/** What somebody had in a room and has no more. It is kept until its tokens are revoked, whatever fails in between. */
export interface LostRight {
  readonly lostRightId: string;
  /** Absent: everybody's. */
  readonly userId?: string;
}

/** What of a room may change. */
export type RoomChange = Partial<
  Pick<StoredRoom, "access" | "members" | "maxParticipants" | "metadata" | "lostRights">
>;

export interface RoomSelector {
  readonly roomName: string;
  /** Absent: whoever owns it. */
  readonly ownerUserId?: string;
}

/**
 * A name stays its owner's when the room is deleted: sessions go by it, and so do tokens that other servers take until they
 * expire. Only the same owner can make a room of it again. A deleted room is otherwise as if it were not there.
 */
export interface RoomStore {
  /** False when the name is taken. */
  create(room: StoredRoom): Promise<boolean>;
  /**
   * As `create`, unless the owner has `maxOwned` rooms. Holds also for calls at once, at whichever replica. `overReserved`:
   * also under a name that was reserved; default false.
   */
  createWithin(
    room: StoredRoom,
    maxOwned: number,
    options?: { readonly overReserved?: boolean },
  ): Promise<"created" | "taken" | "limit">;
  /**
   * Sees to it that no user makes a room of this name: a service brings people in under it, and among them may be one who
   * would then own it. Nothing when the name has a room, or had one. There is no room by it.
   */
  reserve(roomName: string, now: Date): Promise<void>;
  get(roomName: string): Promise<StoredRoom | undefined>;
  /**
   * The room that was made first of those whose names differ from this one at most in case and in how Unicode writes them
   * (NFKC), this one and deleted ones included.
   */
  firstAlike(roomName: string): Promise<string | undefined>;
  /** Newest first. */
  list(filter: { readonly ownerUserId?: string }, page: PageRequest): Promise<Page<StoredRoom>>;
  /**
   * Writes what `change` says of the room as it is then; nobody changes it in between. `change` is called at most once, and
   * must neither throw nor wait.
   */
  update(
    selector: RoomSelector,
    change: (room: StoredRoom) => RoomChange,
  ): Promise<{ readonly before: StoredRoom; readonly after: StoredRoom } | undefined>;
  /**
   * What is lost by it, with what was lost before and is not settled. Repeated, what is still not settled; empty when there
   * is no such room, and nothing to settle of one that was.
   */
  delete(selector: RoomSelector, lost: LostRight): Promise<readonly LostRight[]>;
  /** The tokens of these rights are revoked. Also for a deleted room. */
  settle(roomName: string, lostRightIds: readonly string[]): Promise<void>;
}
