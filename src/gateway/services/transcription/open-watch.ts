/** Judges who may watch what, and opens the watch. What is not the caller's is answered as what is not there. */
import type { ApiKeyStore } from "../../../token/api-keys/api-key-store.ts";
import { nameCaller } from "../../../token/caller.ts";
import type { Caller, ParticipantCaller, UserCaller } from "../../../token/caller.ts";
import { rightToEnter } from "../../../token/rooms/right-to-enter.ts";
import type { RoomStore } from "../../../token/rooms/room-store.ts";
import { userTypeRights } from "../../../token/rooms/user-types.ts";
import { SessionError } from "../../../transcription/session-error.ts";
import type { SessionStore } from "../../../transcription/session-store.ts";
import type { WatchTarget } from "../../../transcription/watch/watch.ts";
import type { OpenedWatch, WatchRequest, Watcher, Watches } from "../../../transcription/watch/watches.ts";

export interface WatchDependencies {
  readonly watches: Watches;
  readonly store: Pick<SessionStore, "get">;
  readonly rooms: Pick<RoomStore, "get">;
  readonly apiKeys: Pick<ApiKeyStore, "get">;
  /** Whether a token that was good when the call began has been revoked since. */
  readonly isRevoked: (caller: ParticipantCaller) => boolean;
}

export type WatchSelector = { readonly sessionId: string } | { readonly roomName: string };

export interface WatchOptions extends Pick<WatchRequest, "after"> {
  /** Only what this one speaks. */
  readonly participantIdentity?: string;
}

/** Rejects with SessionError `unknown-session`, `forbidden`, or as Watches.open. */
export async function openWatch(
  caller: Caller,
  selector: WatchSelector,
  options: WatchOptions,
  dependencies: WatchDependencies,
): Promise<OpenedWatch> {
  const target = await judge(caller, selector, dependencies);
  const watcher = watcherOf(caller, selector, dependencies);
  const opened = await dependencies.watches.open({ ...target, ...options, watcher });
  // While it opened it was not among those that a revocation ends.
  const isRevoked =
    caller.kind === "participant" ? dependencies.isRevoked(caller) : !(await isStillGood(watcher));
  if (isRevoked) opened.watch.end(new SessionError("token-expired", "the token was revoked"));
  return opened;
}

async function judge(
  caller: Caller,
  selector: WatchSelector,
  { store, rooms }: WatchDependencies,
): Promise<WatchTarget> {
  if (caller.kind === "participant" && !userTypeRights[caller.userType].watch)
    throw new SessionError("forbidden", `a ${caller.userType.toUpperCase()} may not watch this room`);
  if ("sessionId" in selector) {
    const session = await store.get(selector.sessionId);
    if (!session || !isOwn(caller, session))
      throw new SessionError("unknown-session", "session_id: no such session");
    return { roomName: session.roomName, sessionId: session.sessionId };
  }
  const { roomName } = selector;
  const mayWatch =
    caller.kind === "service" ||
    (caller.kind === "participant"
      ? caller.roomName === roomName
      : await mayWatchRoom(caller, roomName, rooms));
  if (!mayWatch) {
    throw new SessionError("unknown-session", "room_name: no such room, or you may not watch it");
  }
  return { roomName };
}

function isOwn(caller: Caller, session: { readonly userId: string; readonly roomName: string }): boolean {
  switch (caller.kind) {
    case "participant":
      return session.roomName === caller.roomName;
    case "user":
      return session.userId === caller.userId;
    case "service":
      return true;
  }
}

async function mayWatchRoom(
  { userId }: UserCaller,
  roomName: string,
  rooms: Pick<RoomStore, "get">,
): Promise<boolean> {
  const right = rightToEnter(await rooms.get(roomName), userId);
  return right !== undefined && userTypeRights[right].watch;
}

function watcherOf(caller: Caller, selector: WatchSelector, { rooms, apiKeys }: WatchDependencies): Watcher {
  const { expireTime } = caller;
  const common = { name: nameCaller(caller), ...(expireTime && { expireTime }) };
  switch (caller.kind) {
    case "participant": {
      const { userId, tokenId, familyId } = caller;
      const token = { tokenId, ...(familyId !== undefined && { familyId }) };
      return { ...common, isService: false, userId, token };
    }
    case "user": {
      const { userId } = caller;
      if ("sessionId" in selector) return { ...common, isService: false, userId };
      const isStillGood = () => mayWatchRoom(caller, selector.roomName, rooms);
      return { ...common, isService: false, userId, isStillGood };
    }
    case "service": {
      const isStillGood = async () => {
        const key = await apiKeys.get(caller.apiKeyId);
        return key !== undefined && key.revokeTime === undefined;
      };
      return { ...common, isService: true, isStillGood };
    }
  }
}

async function isStillGood(watcher: Watcher): Promise<boolean> {
  return (await watcher.isStillGood?.()) ?? true;
}
