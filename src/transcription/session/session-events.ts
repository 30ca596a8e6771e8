/** What a session tells its client, free of any wire format. Times are milliseconds of the session clock. */
import { currentPace } from "../../delivery/measure-delivery.ts";
import type { DeliveryFigures, PacePoint } from "../../delivery/measure-delivery.ts";
import type { AudioGap, StoredSegment, StoredWord } from "../session-store.ts";

export type SessionEvent =
  | StartedEvent
  | { readonly type: "ack"; readonly throughSample: number; readonly throughMs: number }
  | TranscriptEvent
  | {
      readonly type: "speech";
      readonly state: "started" | "ended";
      readonly atMs: number;
      readonly channel: number;
    }
  | { readonly type: "delivery"; readonly figures: DeliverySnapshot }
  | ({ readonly type: "gap" } & AudioGap)
  | {
      readonly type: "warning";
      readonly code: WarningCode;
      readonly message: string;
      readonly deadline?: Date;
    }
  | { readonly type: "summary"; readonly summary: SessionSummary };

export interface StartedEvent {
  readonly type: "started";
  readonly sessionId: string;
  readonly resumeToken: string;
  readonly nextSample: number;
  readonly epoch: number;
  readonly engine: string;
  readonly wordTimes: WordTimes;
  readonly fillersDetectable: boolean;
  readonly createTime: Date;
  readonly tokenExpireTime: Date;
}

export interface TranscriptEvent {
  readonly type: "transcript";
  readonly segmentIndex: number;
  readonly revision: number;
  readonly isFinal: boolean;
  readonly text: string;
  readonly words: readonly StoredWord[];
  readonly startMs: number;
  readonly endMs: number;
  readonly channel: number;
  readonly wordTimes: WordTimes;
}

/** The figures that are shown while somebody speaks; small, however long the session. */
export interface DeliverySnapshot {
  readonly durationMs: number;
  readonly speakingMs: number;
  readonly totalWords: number;
  readonly averagePace: number;
  readonly articulationRate: number;
  readonly currentPace?: PacePoint;
  readonly fillersDetectable: boolean;
  readonly fillerCount?: number;
  readonly pauseCount: number;
  readonly longPauseCount: number;
  readonly formulaVersion: number;
}

export function takeSnapshot(figures: DeliveryFigures): DeliverySnapshot {
  const {
    durationMs,
    speakingMs,
    totalWords,
    averagePace,
    articulationRate,
    fillers,
    pauses,
    formulaVersion,
  } = figures;
  const pace = currentPace(figures.paceTimeline);
  return {
    durationMs,
    speakingMs,
    totalWords,
    averagePace,
    articulationRate,
    ...(pace && { currentPace: pace }),
    fillersDetectable: fillers.detectable,
    ...(fillers.count !== undefined && { fillerCount: fillers.count }),
    pauseCount: pauses.count,
    longPauseCount: pauses.longCount,
    formulaVersion,
  };
}

export type WordTimes = "measured" | "estimated";

export type WarningCode =
  "token-expiring" | "server-stopping" | "engine-restarted" | "engine-changed" | "storage-slow";

export interface SessionSummary {
  readonly sessionId: string;
  readonly engine: string;
  readonly wordTimes: WordTimes;
  readonly segments: readonly StoredSegment[];
  readonly gaps: readonly AudioGap[];
  /** In order of time, over all channels. */
  readonly words: readonly StoredWord[];
  readonly figures: DeliveryFigures;
  readonly interviewId?: string;
}

/** Roughly what an event takes on the wire; an upper bound matters more than exactness. */
export function estimateBytes(event: SessionEvent): number {
  if (event.type !== "transcript") return 96;
  return 64 + event.text.length + event.words.reduce((sum, word) => sum + word.text.length + 24, 0);
}
