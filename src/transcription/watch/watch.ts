/**
 * One who watches: replays the log from a cursor, as fast as it reads, then follows the room live. Holds at most a page of the
 * log while it replays, and a bounded number of bytes while it follows.
 */
import { setImmediate } from "node:timers/promises";
import { SessionError } from "../session-error.ts";
import type { SessionStore } from "../session-store.ts";
import { EventQueue } from "../session/event-queue.ts";
import { writeCursor } from "./cursor.ts";
import type { FeedReader } from "./room-feed.ts";
import type { SessionEventLog } from "./session-event-log.ts";
import { toWatchedEvent } from "./watched-event.ts";
import type { WatchedEvent } from "./watched-event.ts";

export interface WatchTarget {
  readonly roomName: string;
  /** Only this session; the watch ends with it. */
  readonly sessionId?: string;
  /** Only sessions of this speaker. */
  readonly participantIdentity?: string;
}

export interface WatchDependencies {
  readonly log: Pick<SessionEventLog, "head" | "read">;
  readonly store: Pick<SessionStore, "get" | "segments" | "gaps">;
  /** Unread live events that may pile up. */
  readonly maxUnreadBytes: number;
  /** Whether the room's feed takes the reader from that number on. */
  readonly join: (reader: FeedReader, position: number) => boolean;
  readonly leave: (reader: FeedReader) => void;
}

/** Events that a replay holds at once. */
const eventsAPage = 32;

export interface ToldEvent extends WatchedEvent {
  /** From where to go on after it. */
  readonly cursor: string;
}

export class Watch {
  readonly target: WatchTarget;
  readonly #dependencies: WatchDependencies;
  readonly #queue: EventQueue<WatchedEvent>;
  readonly #reader: FeedReader = { take: (event) => this.#take(event) };
  /** All events up to here that the target has were told. */
  #position: number;
  #isLive = false;
  #end: SessionError | undefined;

  /** `position`: the number of the last event that is known already. */
  constructor(target: WatchTarget, position: number, dependencies: WatchDependencies) {
    this.target = target;
    this.#position = position;
    this.#dependencies = dependencies;
    const { maxUnreadBytes } = dependencies;
    this.#queue = new EventQueue<WatchedEvent>({
      maxBytes: maxUnreadBytes,
      sizeOf: (event) => event.bytes,
      onOverflow: () =>
        new SessionError(
          "reader-stalled",
          `more than ${Math.floor(maxUnreadBytes / 1024)} KiB of events were not read (MAX_UNREAD_KIB); ` +
            "read them, and go on from the last cursor",
        ),
    });
  }

  /**
   * Ends it now: nothing more is told, though it be there. The first call counts. Also for a reading that never goes on, as
   * that of a client which does not read.
   */
  end(error: SessionError): void {
    this.#end ??= error;
    this.#queue.end(error);
    this.#dependencies.leave(this.#reader);
  }

  /** Ends it when what is there is told; one that still replays ends at once, and goes on elsewhere. */
  endAfterTold(error: SessionError): void {
    if (this.#isLive) this.#queue.end(error);
    else this.end(error);
  }

  /**
   * Ends after the last event of the session, for a watch of one. Throws SessionError as `end` was given it, and
   * `reader-stalled`; StorageError when the log cannot be read. There is one reading.
   */
  async *events(): AsyncGenerator<ToldEvent, void, undefined> {
    try {
      const isOver = yield* this.#replay();
      if (isOver) return;
      this.#isLive = true;
      for await (const event of this.#queue) {
        this.#throwIfEnded();
        yield this.#tell(event);
        if (this.#isLast(event)) return;
      }
    } finally {
      this.#dependencies.leave(this.#reader);
    }
  }

  /** Returns whether the watched session has ended. */
  async *#replay(): AsyncGenerator<ToldEvent, boolean, undefined> {
    const { log, store, join } = this.#dependencies;
    for (;;) {
      // An end that is known by now is in the log; if it does not come, it is before the cursor.
      const isOver = await this.#isOver();
      const head = await log.head(this.target.roomName);
      for (let hasMore = true; hasMore;) {
        const after = this.#position;
        const page = await log.read({ ...this.target, after, limit: eventsAPage });
        for (const logged of page.events) {
          if (!this.#isMeant(logged)) continue;
          const event = await toWatchedEvent(logged, 0, store);
          this.#throwIfEnded();
          yield this.#tell(event);
          if (this.#isLast(event)) return true;
        }
        this.#position = Math.max(this.#position, page.through);
        hasMore = page.hasMore;
        await setImmediate(); // a long replay lets others have their turn, wherever the database is
      }
      this.#throwIfEnded();
      this.#position = Math.max(this.#position, head);
      if (isOver) return true;
      if (join(this.#reader, this.#position)) return false;
    }
  }

  /** The watched session has ended, or was erased. */
  async #isOver(): Promise<boolean> {
    const { sessionId } = this.target;
    if (sessionId === undefined) return false;
    const session = await this.#dependencies.store.get(sessionId);
    return session === undefined || session.state === "ended";
  }

  #take(event: WatchedEvent): void {
    if (this.#isMeant(event)) this.#queue.push(event);
  }

  #isMeant({ session }: Pick<WatchedEvent, "session">): boolean {
    const { sessionId, participantIdentity } = this.target;
    return (
      (sessionId === undefined || session.sessionId === sessionId) &&
      (participantIdentity === undefined || session.participantIdentity === participantIdentity)
    );
  }

  #isLast({ event }: WatchedEvent): boolean {
    return this.target.sessionId !== undefined && event.type === "summary";
  }

  #tell(event: WatchedEvent): ToldEvent {
    this.#position = event.position ?? this.#position;
    return { ...event, cursor: writeCursor(this.target.roomName, this.#position) };
  }

  #throwIfEnded(): void {
    if (this.#end) throw this.#end;
  }
}
