/**
 * What watching needs of a database: in each room a log of what stays of its sessions, numbered from 1 in the order of
 * commits, without a gap but where a session was erased. Implemented in storage/.
 */
import type { AudioGap, StoredSegment, StoredSession } from "../session-store.ts";

export interface SessionEventLog {
  /** The number of the room's last event; 0 before the first. Whoever reads after this sees all events up to it. */
  head(roomName: string): Promise<number>;
  /** The room's events after that number in order; only of one session if it is named. */
  read(query: LogQuery): Promise<LogPage>;
  /**
   * Calls back with rooms to whose logs this process has added something, once it is committed. The returned function ends
   * it. A commit whose answer is lost on the way may go unsaid.
   */
  onAppended(listener: (roomNames: readonly string[]) => void): () => void;
}

export interface LogQuery {
  readonly roomName: string;
  readonly sessionId?: string;
  /** 0: from the beginning. */
  readonly after: number;
  /** Events at most. */
  readonly limit: number;
}

export interface LogPage {
  readonly events: readonly LoggedEvent[];
  /** The number of the last event that was looked at; `after` when there was none. */
  readonly through: number;
  /** Whether there may be more of them. */
  readonly hasMore: boolean;
}

export type LoggedEvent = { readonly position: number; readonly session: StoredSession } & (
  | { readonly kind: "started" }
  | { readonly kind: "final"; readonly segment: StoredSegment }
  | { readonly kind: "gap"; readonly gap: AudioGap }
  /** The last of a session, whatever the reason. */
  | { readonly kind: "ended" }
);
