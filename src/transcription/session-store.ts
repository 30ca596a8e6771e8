/**
 * What a session needs of a database, in the session's own words. Implemented in storage/.
 * All positions are samples on the session clock, at the client's rate; all `...Ms` are milliseconds of that clock.
 */
import type { Page, PageRequest } from "../page.ts";
import type { AudioEncoding, AudioFormat } from "./audio/audio-format.ts";

export interface SessionStore {
  /** Writes a new session with state "active" and epoch 1. Without an opening it cannot be continued. */
  create(session: NewSession, opening?: SessionOpening): Promise<void>;
  /**
   * One transaction: inserts the finals and gaps and raises `committedThrough`. Only after it resolves may the audio be
   * acknowledged. Safe to repeat: a segment that is already there stays as it was first written.
   * Rejects with StorageError `fenced` when the session's epoch is no longer this one, or it has ended.
   */
  commit(sessionId: string, epoch: number, commit: SessionCommit): Promise<void>;
  /** Ends the session. Safe to repeat; a session that has already ended stays as it is. `fenced` as for commit. */
  end(sessionId: string, epoch: number, end: SessionEnd): Promise<void>;
  /** The stream broke; the session can be continued. Safe to repeat. `fenced` as for commit. */
  interrupt(sessionId: string, epoch: number, interruption: SessionInterruption): Promise<void>;
  /**
   * Continues a session: one transaction that raises its epoch, after which everything of an older epoch is fenced. Only
   * for its speaker, with its token, and when it was not interrupted for longer than the window.
   */
  takeOver(request: TakeOverRequest): Promise<TakeOver>;
  /**
   * Says that these sessions are still being served, in these epochs, so that they are active whatever others have taken
   * them for; see interruptAbandoned. Asks the database even when there are none.
   */
  touch(served: readonly ServedSession[]): Promise<void>;
  /** The epochs that these sessions are in. */
  epochs(sessionIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Calls active sessions interrupted that nobody has committed to or touched for so long. Returns how many. */
  interruptAbandoned(untouchedForMs: number): Promise<number>;
  /** Ends, for the reason they were interrupted, sessions that have been so for so long. Returns how many. */
  endInterrupted(interruptedForMs: number): Promise<number>;
  get(sessionId: string): Promise<StoredSession | undefined>;
  /** Newest first. Rejects with StorageError `bad-page-token` when `after` is not one of this list's. */
  list(filter: SessionFilter, page: PageRequest): Promise<Page<StoredSession>>;
  /** The session's finals in order of segmentIndex. */
  segments(sessionId: string): Promise<readonly StoredSegment[]>;
  /** The session's gaps in order. */
  gaps(sessionId: string): Promise<readonly AudioGap[]>;
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

/** What a stream that continues the session has to know, and nobody else. */
export interface SessionOpening {
  /** SHA-256. */
  readonly resumeTokenHash: Uint8Array;
  readonly options: StreamOptions;
  readonly sequenceCeiling: number;
}

/** How a session was opened, beside what NewSession says. */
export interface StreamOptions {
  readonly encoding: AudioEncoding;
  readonly interimResults: boolean;
  readonly analyzeOnEnd: boolean;
  readonly caseQuestion?: string;
  readonly keyterms: readonly string[];
  readonly diarize: boolean;
}

export interface SessionCommit {
  /** New finals; may be empty when only silence is committed. */
  readonly segments: readonly StoredSegment[];
  /** New gaps. Default none. */
  readonly gaps?: readonly AudioGap[];
  /** Every word before this sample is in a committed final, or the audio is in a gap. Never falls. */
  readonly committedThrough: number;
  /** No event of this epoch has a higher number, until the next commit says otherwise. Default as before. */
  readonly sequenceCeiling?: number;
  /** Sent when it is another than the session was created with. */
  readonly engine?: EngineRecord;
}

/** The engine, or engines, that a session's words come from. */
export interface EngineRecord {
  /** Several are joined by "+". */
  readonly engine: string;
  readonly wordTimes: "measured" | "estimated";
  readonly fillers: "kept" | "may-drop";
}

/** Audio that nobody heard, in samples of the session clock. */
export interface AudioGap {
  readonly firstSample: number;
  readonly endSample: number;
  readonly reason: "client-dropped" | "engine-failed" | "source-lost";
  /** Absent: all of them. */
  readonly channel?: number;
}

export interface StoredSegment {
  /** From 0. A number is left out when its segment turned out to hold no words. */
  readonly segmentIndex: number;
  /** Counts the session's finals from 1 in the order of their commits, which is the order in which they are sent. */
  readonly finalNumber: number;
  readonly channel: number;
  /** The audio that the words were recognised in. */
  readonly startSample: number;
  readonly endSample: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  readonly wordTimes: "measured" | "estimated";
  readonly words: readonly StoredWord[];
  /** Where there was voice. */
  readonly voiced: readonly { readonly startMs: number; readonly endMs: number }[];
}

export interface StoredWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly confidence?: number;
  readonly speaker?: number;
}

export interface SessionEnd {
  readonly reason: SessionEndReason;
  /** Audio received, in milliseconds. */
  readonly durationMs: number;
  readonly endTime: Date;
  /** The analysis that was queued for it. */
  readonly interviewId?: string;
}

export interface SessionInterruption {
  readonly reason: SessionEndReason;
  /** Audio received, in milliseconds. */
  readonly durationMs: number;
  /** The number of the last event. */
  readonly sequence: number;
}

export interface TakeOverRequest {
  readonly sessionId: string;
  readonly resumeTokenHash: Uint8Array;
  readonly userId: string;
  readonly roomName: string;
  readonly participantIdentity: string;
  /** What must not differ. */
  readonly format?: Partial<AudioFormat>;
  readonly windowMs: number;
  /** By so much the ceiling is raised: numbers of events for the new stream, should nothing of it be committed. */
  readonly reservedNumbers: number;
}

export interface ServedSession {
  readonly sessionId: string;
  readonly epoch: number;
}

export type TakeOver =
  /** `session` as it is now, with its new epoch. */
  | { readonly outcome: "taken"; readonly session: StoredSession; readonly opening: SessionOpening }
  /** It was completed within the window: there is nothing to continue, but its summary to be had. */
  | { readonly outcome: "completed"; readonly session: StoredSession; readonly opening: SessionOpening }
  /** Its audio is otherwise than the client says; it was left as it is. */
  | { readonly outcome: "other-format"; readonly session: StoredSession; readonly opening: SessionOpening }
  /** It has ended, or its window is over. */
  | { readonly outcome: "over" }
  /** No such session with this token for this speaker. */
  | { readonly outcome: "unknown" };

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
  /** Only those that are over. Default all. */
  readonly hasEnded?: true;
  /** Only those that began after that moment. */
  readonly after?: Date;
}

export interface StoredSession extends NewSession {
  readonly state: "active" | "interrupted" | "ended";
  readonly epoch: number;
  readonly committedThrough: number;
  /** Why it ended, or why it was interrupted. */
  readonly endReason?: SessionEndReason;
  readonly endTime?: Date;
  /** Audio received; before the end, up to `committedThrough`. */
  readonly durationMs: number;
  readonly interviewId?: string;
}
