/**
 * What a session needs of a database, in the session's own words. Implemented in storage/.
 * All positions are samples on the session clock, at the client's rate; all `...Ms` are milliseconds of that clock.
 */
import type { Page, PageRequest } from "../page.ts";

export interface SessionStore {
  /** Writes a new session with state "active" and epoch 1. */
  create(session: NewSession): Promise<void>;
  /**
   * One transaction: inserts the finals and raises `committedThrough`. Only after it resolves may the audio be
   * acknowledged. Safe to repeat: a segment that is already there stays as it was first written.
   * Rejects with StorageError `fenced` when the session's epoch is no longer this one, or it has ended.
   */
  commit(sessionId: string, epoch: number, commit: SessionCommit): Promise<void>;
  /** Ends the session. Safe to repeat; a session that has already ended stays as it is. `fenced` as for commit. */
  end(sessionId: string, epoch: number, end: SessionEnd): Promise<void>;
  /** Says that these sessions are still being served; see endAbandoned. Asks the database even when there are none. */
  touch(sessionIds: readonly string[]): Promise<void>;
  /** Ends, as "server-stopped", active sessions that nobody has committed to or touched for so long. Returns how many. */
  endAbandoned(untouchedForMs: number): Promise<number>;
  get(sessionId: string): Promise<StoredSession | undefined>;
  /** Newest first. Rejects with StorageError `bad-page-token` when `after` is not one of this list's. */
  list(filter: SessionFilter, page: PageRequest): Promise<Page<StoredSession>>;
  /** The session's finals in order of segmentIndex. */
  segments(sessionId: string): Promise<readonly StoredSegment[]>;
}

export interface NewSession {
  readonly sessionId: string;
  readonly roomName: string;
  readonly participantIdentity: string;
  readonly userId: string;
  readonly sampleRateHz: number;
  readonly channelCount: number;
  readonly languageCode: string;
  readonly engine: string;
  readonly wordTimes: "measured" | "estimated";
  readonly fillers: "kept" | "may-drop";
  readonly createTime: Date;
}

export interface SessionCommit {
  /** New finals; may be empty when only silence is committed. */
  readonly segments: readonly StoredSegment[];
  /** Every word before this sample is in a committed final. Never falls. */
  readonly committedThrough: number;
}

export interface StoredSegment {
  /** From 0. A number is left out when its segment turned out to hold no words. */
  readonly segmentIndex: number;
  readonly channel: number;
  /** The audio that the words were recognised in. */
  readonly startSample: number;
  readonly endSample: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  readonly words: readonly StoredWord[];
  /** Where there was voice. */
  readonly voiced: readonly { readonly startMs: number; readonly endMs: number }[];
}

export interface StoredWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly confidence?: number;
}

export interface SessionEnd {
  readonly reason: SessionEndReason;
  /** Audio received, in milliseconds. */
  readonly durationMs: number;
  readonly endTime: Date;
  /** The analysis that was queued for it. */
  readonly interviewId?: string;
}

export type SessionEndReason =
  | "completed"
  | "client-gone"
  | "client-error"
  | "stalled"
  | "token-expired"
  | "engine-failed"
  | "server-stopped"
  | "server-error";

export interface SessionFilter {
  readonly userId?: string;
  readonly roomName?: string;
}

export interface StoredSession extends NewSession {
  readonly state: "active" | "interrupted" | "ended";
  readonly epoch: number;
  readonly committedThrough: number;
  readonly endReason?: SessionEndReason;
  readonly endTime?: Date;
  /** Audio received; before the end, up to `committedThrough`. */
  readonly durationMs: number;
  readonly interviewId?: string;
}
