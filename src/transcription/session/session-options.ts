/** What a session is opened with: the parts it uses, who speaks how, and what there is already when it is continued. */
import type { Clock } from "../../clock.ts";
import type { AudioFormat } from "../audio/audio-format.ts";
import type { EngineChoice } from "../engines/engine-choice.ts";
import type { SessionEvent } from "./session-events.ts";
import type { AudioGap, EngineRecord, SessionStore, StoredSegment, StreamOptions } from "../session-store.ts";

export interface SessionDependencies {
  readonly store: SessionStore;
  readonly engines: EngineChoice;
  readonly clock: Clock;
  readonly limits: SessionLimits;
  /** Queues an analysis of the session, under the given id. Safe to repeat. */
  readonly queueAnalysis: (session: AnalysisRequest) => Promise<void>;
  /** Something an operator should see. Never with words or tokens. */
  readonly onProblem: (sessionId: string, message: string, error: unknown) => void;
  /** Is told of each event but `started`, for others than the speaker; must not throw. Default: nobody is. */
  readonly onEvent?: (session: SessionPlace, event: SessionEvent) => void;
}

/** Which session, and where. */
export interface SessionPlace {
  readonly sessionId: string;
  readonly roomName: string;
  readonly participantIdentity: string;
}

/** What one session may take. */
export interface SessionLimits {
  /** Audio of a session, on its clock. Default 24 h. */
  readonly maxDurationMs: number;
  /** Audio of a session, in bytes as they are sent. Default 2 GiB: three hours of four channels at 48 kHz. */
  readonly maxAudioBytes: number;
  /** A client that says nothing for so long is taken for dead. Default 30 s, as the contract says. */
  readonly maxIdleMs: number;
  /** Unread events that a client may pile up before its stream is ended. Default 256 KiB, as the contract says. */
  readonly maxUnreadBytes: number;
}

export const defaultSessionLimits: SessionLimits = {
  maxDurationMs: 24 * 3600_000,
  maxAudioBytes: 2 * 1024 ** 3,
  maxIdleMs: 30_000,
  maxUnreadBytes: 256 * 1024,
};

export interface AnalysisRequest {
  readonly interviewId: string;
  readonly sessionId: string;
  readonly userId: string;
  readonly roomName: string;
  readonly caseQuestion?: string;
}

/** The right by which a stream is open. */
export interface StreamToken {
  readonly tokenId: string;
  /** Of the tokens that were made together with it, by which it may be revoked too. */
  readonly familyId?: string;
  readonly expireTime: Date;
}

export interface Speaker {
  readonly userId: string;
  readonly roomName: string;
  readonly participantIdentity: string;
}

export interface SessionOptions extends Speaker, Omit<StreamOptions, "encoding"> {
  readonly sessionId: string;
  readonly resumeToken: string;
  readonly token: StreamToken;
  readonly format: AudioFormat;
  readonly languageCode: string;
}

/** A session that an earlier stream began. */
export interface ContinuedSession {
  readonly epoch: number;
  readonly createTime: Date;
  readonly committedThrough: number;
  readonly engine: EngineRecord;
  readonly segments: readonly StoredSegment[];
  readonly gaps: readonly AudioGap[];
  /** The number of the last event that may have been sent. */
  readonly sequence: number;
  /** The client has received so many finals; absent: it does not want any again. */
  readonly finalsReceived?: number;
}
