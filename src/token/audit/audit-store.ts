/** What the audit log needs of a database. Implemented in storage/. Whoever writes must know the chain's end: see `append`. */
import type { Page, PageRequest } from "../../page.ts";
import type { AuditEvent, ChainLink } from "./audit-event.ts";

export interface AuditStore {
  /**
   * Adds the events that `link` makes to follow on `head`, all or none. Of all processes that share the database one at a
   * time is let in, so the chain never forks. Does nothing when `unlessStored` is in the chain: the end of an attempt that
   * was not answered, and yet may have been committed.
   */
  append(link: (head: ChainLink) => readonly AuditEvent[], unlessStored?: ChainLink): Promise<void>;
  /**
   * Removes the oldest events, as far as they are from before `before`, and `limit` at most; and adds, in the same
   * transaction, the event that `seal` makes to say so. How many were removed; with 0 nothing is added.
   */
  prune(request: PruneRequest): Promise<number>;
  /** Oldest first. Rejects with StorageError `bad-page-token`. */
  list(filter: AuditFilter, page: PageRequest): Promise<Page<AuditEvent>>;
  /** The event that was added last, also when it is there no more; `chainStart` before the first. */
  head(): Promise<ChainLink>;
}

export interface AuditFilter {
  /** Absent: events of all. */
  readonly actor?: string;
}

export interface PruneRequest {
  readonly before: Date;
  readonly limit: number;
  /** `pruned` is the newest of the events that are removed. */
  readonly seal: (head: ChainLink, pruned: ChainLink) => AuditEvent;
}
