/** What a session is opened with: the parts it uses, and who speaks how. */
import type { Clock } from "../../clock.ts";
import type { AudioFormat } from "../audio/audio-format.ts";
import type { SpeechEngine } from "../engines/speech-engine.ts";
import type { SessionStore } from "../session-store.ts";

export interface SessionDependencies {
  readonly store: SessionStore;
  readonly engine: SpeechEngine;
  readonly clock: Clock;
  /** Queues an analysis of the session, under the given id. Safe to repeat. */
  readonly queueAnalysis: (session: AnalysisRequest) => Promise<void>;
  /** Something an operator should see. Never with words or tokens. */
  readonly onProblem: (sessionId: string, message: string, error: unknown) => void;
}

export interface AnalysisRequest {
  readonly interviewId: string;
  readonly sessionId: string;
  readonly userId: string;
  readonly roomName: string;
  readonly caseQuestion?: string;
}

export interface SessionOptions {
  readonly sessionId: string;
  readonly userId: string;
  readonly roomName: string;
  readonly participantIdentity: string;
  readonly tokenExpireTime: Date;
  readonly format: AudioFormat;
  readonly languageCode: string;
  readonly interimResults: boolean;
  readonly analyzeOnEnd: boolean;
  readonly caseQuestion?: string;
}
