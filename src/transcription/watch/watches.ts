/**
 * All who watch on this process: opens watches, feeds them, and ends them when their right ends or the server stops. Judges
 * no right: who may watch what is for whoever opens.
 */
import type { Clock } from "../../clock.ts";
import type { Notices } from "../../notices.ts";
import { SessionError } from "../session-error.ts";
import type { SessionStore } from "../session-store.ts";
import type { SessionEvent } from "../session/session-events.ts";
import type { SessionPlace, StreamToken } from "../session/session-options.ts";
import { isSelected } from "../session/token-selector.ts";
import type { TokenSelector } from "../session/token-selector.ts";
import { AppendNotices } from "./append-notices.ts";
import { readCursor, roomTag } from "./cursor.ts";
import { RoomFeed } from "./room-feed.ts";
import type { SessionEventLog } from "./session-event-log.ts";
import { Watch } from "./watch.ts";
import type { WatchTarget } from "./watch.ts";
import { WatchLimits, defaultWatchLimits } from "./watch-limits.ts";
import type { WatchLimitValues } from "./watch-limits.ts";

export interface WatchesDependencies {
  readonly log: SessionEventLog;
  readonly store: Pick<SessionStore, "get" | "segments" | "gaps">;
  readonly notices: Notices;
  readonly clock: Clock;
  /** Unread events that a watcher may pile up before the watch is ended. */
  readonly maxUnreadBytes: number;
  readonly limits?: WatchLimitValues;
  /** Something an operator should see. Never with words or tokens. */
  readonly onProblem: (message: string, error: unknown) => void;
}

/** By what right somebody watches. */
export interface Watcher {
  /** For limits. */
  readonly name: string;
  readonly isService: boolean;
  /** Absent: a service's. */
  readonly userId?: string;
  /** Of a participant; absent: a login or an API key, which no revocation of tokens concerns. */
  readonly token?: Pick<StreamToken, "tokenId" | "familyId">;
  /** When the right ends by itself. Absent: never. */
  readonly expireTime?: Date;
  /** Whether the right is still there, for one that can be lost without a word; asked every 30 s, and by `lookAgain`. */
  readonly isStillGood?: () => Promise<boolean>;
}

export interface WatchRequest extends WatchTarget {
  readonly watcher: Watcher;
  /** As a watch of the same room gave it; "now": only what comes. Absent: from the beginning. */
  readonly after?: { readonly cursor: string } | "now";
}

interface OpenWatch {
  readonly watch: Watch;
  readonly watcher: Watcher;
}

const lookAgainMs = 30_000;

export class Watches {
  readonly #dependencies: WatchesDependencies;
  readonly #limits: WatchLimits;
  readonly #notices: AppendNotices;
  /** By the tag of the room. */
  readonly #feeds = new Map<string, RoomFeed>();
  readonly #open = new Set<OpenWatch>();
  #isStopping = false;

  constructor(dependencies: WatchesDependencies) {
    this.#dependencies = dependencies;
    this.#limits = new WatchLimits(dependencies.limits ?? defaultWatchLimits);
    this.#notices = new AppendNotices({
      ...dependencies,
      onAppended: (tags) => {
        for (const tag of tags) this.#feeds.get(tag)?.wake();
      },
      onMissed: () => {
        for (const feed of this.#feeds.values()) feed.wake();
      },
    });
  }

  get count(): number {
    return this.#open.size;
  }

  /** Begins to hear what is added to logs, here and on other replicas. */
  start(): void {
    this.#notices.start();
  }

  /**
   * The caller must `close` it, whatever becomes of its events. Rejects with SessionError: `limit`, `invalid` for a cursor of
   * somewhere else, `erased` for one beyond all that is there, `stopping`; with StorageError when the log cannot be read.
   */
  async open({ watcher, after, ...target }: WatchRequest): Promise<OpenedWatch> {
    const { log, store, maxUnreadBytes } = this.#dependencies;
    const { roomName } = target;
    this.#throwIfStopping();
    const leaveLimits = this.#limits.admit(watcher.name, watcher);
    try {
      const position = await this.#positionOf(roomName, after);
      this.#throwIfStopping(); // it may have begun meanwhile
      const watch = new Watch(target, position, {
        log,
        store,
        maxUnreadBytes,
        join: (reader, from) => this.#feedOf(roomName).join(reader, from),
        leave: (reader) => this.#leave(roomName, (feed) => feed.leave(reader)),
      });
      const stopTimers = this.#watchOver(watch, watcher);
      const open = { watch, watcher };
      this.#open.add(open);
      return {
        watch,
        close: () => {
          stopTimers();
          watch.end(new SessionError("client-gone", "the watcher is gone"));
          this.#open.delete(open);
          leaveLimits();
        },
      };
    } catch (error) {
      leaveLimits();
      throw error;
    }
  }

  /** For SessionDependencies.onEvent. */
  said(session: SessionPlace, event: SessionEvent): void {
    if (this.#feeds.size > 0) this.#feeds.get(roomTag(session.roomName))?.said(session, event);
  }

  /**
   * Ends what such tokens watch, and what logins watch in a room where they may have lost their right; who still has one
   * goes on from the cursor. Returns how many.
   */
  revoke(selector: TokenSelector): number {
    const revoked = [...this.#open].filter(({ watch, watcher }) =>
      concerns(selector, watcher, watch.target.roomName),
    );
    for (const { watch } of revoked) watch.end(new SessionError("token-expired", "the token was revoked"));
    return revoked.length;
  }

  /** Rights may have been lost: asks again for each that can be lost without a word. */
  lookAgain(): void {
    for (const { watch, watcher } of this.#open)
      if (watcher.isStillGood) this.#endUnless(watcher.isStillGood, watch);
  }

  /** Tells what the sessions left behind, then ends every watch with SessionError `stopping`. To be called when they have ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#notices.stop();
    await Promise.all([...this.#feeds.values()].map((feed) => feed.catchUp()));
    for (const { watch } of this.#open) watch.endAfterTold(stopping());
  }

  #throwIfStopping(): void {
    if (this.#isStopping) throw stopping();
  }

  async #positionOf(roomName: string, after: WatchRequest["after"]): Promise<number> {
    if (after === undefined) return 0;
    const asked = after === "now" ? undefined : readCursor(roomName, after.cursor);
    const head = await this.#dependencies.log.head(roomName);
    if (asked !== undefined && asked > head) {
      throw new SessionError(
        "erased",
        "cursor: what it points to is not there any more; begin again without one",
      );
    }
    return asked ?? head;
  }

  #watchOver(watch: Watch, { expireTime, isStillGood }: Watcher): () => void {
    const { clock } = this.#dependencies;
    const cancelExpiry = expireTime
      ? clock.after(Math.max(0, expireTime.getTime() - clock.now()), () =>
          watch.end(new SessionError("token-expired", "the token expired")),
        )
      : () => undefined;
    let cancelLook: () => void = () => undefined;
    const look = (isGood: () => Promise<boolean>) => {
      cancelLook = clock.after(lookAgainMs, () => {
        this.#endUnless(isGood, watch);
        look(isGood);
      });
    };
    if (isStillGood) look(isStillGood);
    return () => {
      cancelExpiry();
      cancelLook();
    };
  }

  #endUnless(isGood: () => Promise<boolean>, watch: Watch): void {
    isGood().then(
      (good) => {
        if (!good) watch.end(new SessionError("token-expired", "the right to watch was taken back"));
      },
      (error: unknown) =>
        this.#dependencies.onProblem("the right of one who watches cannot be looked at again", error),
    );
  }

  #feedOf(roomName: string): RoomFeed {
    const tag = roomTag(roomName);
    const feed = this.#feeds.get(tag) ?? new RoomFeed({ ...this.#dependencies, roomName });
    this.#feeds.set(tag, feed);
    return feed;
  }

  #leave(roomName: string, leave: (feed: RoomFeed) => void): void {
    const tag = roomTag(roomName);
    const feed = this.#feeds.get(tag);
    if (!feed) return;
    leave(feed);
    if (feed.isIdle) this.#feeds.delete(tag);
  }
}

export interface OpenedWatch {
  readonly watch: Watch;
  /** Safe to repeat. */
  readonly close: () => void;
}

function stopping(): SessionError {
  return new SessionError("stopping", "the server is shutting down; go on from the last cursor");
}

function concerns(selector: TokenSelector, { userId, token }: Watcher, roomName: string): boolean {
  if (userId === undefined) return false;
  if (token) return isSelected({ userId, roomName, token }, selector);
  return "roomName" in selector && isSelected({ userId, roomName, token: { tokenId: "" } }, selector);
}
