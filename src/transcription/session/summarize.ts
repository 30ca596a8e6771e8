/** A session's words and figures, from its finals alone: the same live, at the end, and years later from the database. */
import { measureDelivery } from "../../delivery/measure-delivery.ts";
import type { DeliveryFigures } from "../../delivery/measure-delivery.ts";
import type { AudioGap, StoredSegment, StoredWord } from "../session-store.ts";
import type { SessionSummary, WordTimes } from "./session-events.ts";

export interface SummarizedSession {
  readonly sessionId: string;
  readonly engine: string;
  readonly wordTimes: WordTimes;
  readonly fillers: "kept" | "may-drop";
  readonly durationMs: number;
  readonly interviewId?: string;
}

export function summarize(
  session: SummarizedSession,
  segments: readonly StoredSegment[],
  gaps: readonly AudioGap[],
): SessionSummary {
  const ordered = [...segments].sort((a, b) => a.segmentIndex - b.segmentIndex);
  return {
    sessionId: session.sessionId,
    engine: session.engine,
    wordTimes: session.wordTimes,
    segments: ordered,
    gaps,
    words: wordsInOrder(ordered),
    figures: measureSegments(ordered, session),
    ...(session.interviewId === undefined ? {} : { interviewId: session.interviewId }),
  };
}

export function measureSegments(
  segments: readonly StoredSegment[],
  session: Pick<SummarizedSession, "durationMs" | "fillers">,
): DeliveryFigures {
  return measureDelivery({
    words: wordsInOrder(segments),
    voiced: segments.flatMap((segment) => segment.voiced),
    durationMs: session.durationMs,
    fillers: session.fillers,
  });
}

/** Over all channels, by start; words that start together keep the order of their segments. */
export function wordsInOrder(segments: readonly StoredSegment[]): StoredWord[] {
  return segments.flatMap((segment) => segment.words).sort((a, b) => a.startMs - b.startMs);
}
