/**
 * Reads what is new in one room's log, once for all who watch the room, and passes on what its sessions here say in
 * between. Whoever joins has read the log up to some number; from there on nothing is left out, and nothing comes twice. When
 * the last reader leaves it is over.
 */
import type { Clock } from "../../clock.ts";
import type { SessionStore } from "../session-store.ts";
import type { SessionEvent } from "../session/session-events.ts";
import type { SessionPlace } from "../session/session-options.ts";
import type { SessionEventLog } from "./session-event-log.ts";
import { toLiveEvent, toWatchedEvent } from "./watched-event.ts";
import type { WatchedEvent } from "./watched-event.ts";

export interface RoomFeedOptions {
  readonly roomName: string;
  readonly log: Pick<SessionEventLog, "read">;
  readonly store: Pick<SessionStore, "segments" | "gaps">;
  readonly clock: Clock;
  readonly onProblem: (message: string, error: unknown) => void;
}

export interface FeedReader {
  readonly take: (event: WatchedEvent) => void;
}

/** Notices can be lost; what they would have said is seen after this, in milliseconds. */
const lookEveryMs = 5_000;
/** After a look that failed, in milliseconds. */
const retryMs = 1_000;
const eventsARead = 64;

export class RoomFeed {
  readonly #options: RoomFeedOptions;
  /** By the number that each has read to; what is not above it is not for it. */
  readonly #readers = new Map<FeedReader, number>();
  /**
   * By session and segment: how many results were passed on. A stream that continues a session counts from 0 again; a segment
   * may never come to a final, so what is left goes with its session.
   */
  readonly #revisions = new Map<string, Map<number, number>>();
  /** Everything up to here was passed on. Undefined before the first reader. */
  #position: number | undefined;
  #isStale = false;
  #isFailing = false;
  #reading: Promise<void> | undefined;
  #cancelLook: (() => void) | undefined;

  constructor(options: RoomFeedOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#readers.size === 0;
  }

  /** False when more was passed on than the reader has: it has to read on, and try again. */
  join(reader: FeedReader, position: number): boolean {
    this.#position ??= position;
    if (this.#position > position) return false;
    this.#readers.set(reader, position);
    this.wake(); // nobody may have looked for a while
    return true;
  }

  leave(reader: FeedReader): void {
    this.#readers.delete(reader);
    if (this.isIdle) this.#cancelLook?.();
  }

  /** Something may have been added to the log. */
  wake(): void {
    this.#isStale = true;
    if (!this.isIdle) this.#reading ??= this.#readWhileStale();
  }

  /** A session of this process says something. */
  said(session: SessionPlace, event: SessionEvent): void {
    if (this.isIdle) return;
    const live = toLiveEvent(session, event);
    if (!live) return;
    if (live.event.type === "transcript") {
      const revision = this.#nextRevision(session.sessionId, live.event.segmentIndex);
      this.#pass({ ...live, event: { ...live.event, revision } });
    } else {
      this.#pass(live);
    }
  }

  /** Resolves when everything that was in the log when it was called has been passed on, or cannot be read. */
  async catchUp(): Promise<void> {
    this.wake();
    await this.#reading;
  }

  /** Never rejects: what fails is tried again, for as long as somebody watches. */
  async #readWhileStale(): Promise<void> {
    let nextMs = lookEveryMs;
    try {
      while (this.#isStale && !this.isIdle) {
        this.#isStale = false;
        await this.#read();
      }
      this.#isFailing = false;
    } catch (error) {
      nextMs = retryMs;
      if (!this.#isFailing)
        this.#options.onProblem("a room's log cannot be read for those who watch it; trying again", error);
      this.#isFailing = true;
    } finally {
      this.#reading = undefined;
      this.#scheduleLook(nextMs);
    }
  }

  async #read(): Promise<void> {
    const { log, roomName, store } = this.#options;
    for (let hasMore = true; hasMore && !this.isIdle;) {
      const page = await log.read({ roomName, after: this.#position ?? 0, limit: eventsARead });
      for (const logged of page.events) {
        const revision =
          logged.kind === "final"
            ? this.#takeRevision(logged.session.sessionId, logged.segment.segmentIndex)
            : 0;
        if (logged.kind === "ended") this.#revisions.delete(logged.session.sessionId);
        this.#pass(await toWatchedEvent(logged, revision, store));
        this.#position = logged.position;
      }
      this.#position = page.through;
      hasMore = page.hasMore;
    }
  }

  #pass(event: WatchedEvent): void {
    for (const [reader, position] of this.#readers)
      if (event.position === undefined || event.position > position) reader.take(event);
  }

  #scheduleLook(ms: number): void {
    this.#cancelLook?.();
    if (!this.isIdle) this.#cancelLook = this.#options.clock.after(ms, () => this.wake());
  }

  #nextRevision(sessionId: string, segmentIndex: number): number {
    const ofSession = this.#revisions.get(sessionId) ?? new Map<number, number>();
    this.#revisions.set(sessionId, ofSession);
    const revision = ofSession.get(segmentIndex) ?? 0;
    ofSession.set(segmentIndex, revision + 1);
    return revision;
  }

  #takeRevision(sessionId: string, segmentIndex: number): number {
    const revision = this.#nextRevision(sessionId, segmentIndex);
    this.#revisions.get(sessionId)?.delete(segmentIndex);
    return revision;
  }
}
