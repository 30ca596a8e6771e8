/** Each figure over a user's sessions, so that they see whether they get better. Computed from stored words each time it is asked. */
import { setImmediate } from "node:timers/promises";
import type { DeliveryFigures } from "../delivery/measure-delivery.ts";
import { perMinute } from "../delivery/per-minute.ts";

export interface ProgressSource {
  /** The user's newest ended sessions that began after that moment, in any order. */
  readonly listSessions: (query: ProgressQuery) => Promise<readonly ProgressSession[]>;
  /** The overall scores of these sessions' newest reports; those without are left out. */
  readonly scoresOf: (sessionIds: readonly string[]) => Promise<ReadonlyMap<string, number>>;
}

export interface ProgressQuery {
  readonly userId: string;
  /** Absent: all. */
  readonly after?: Date;
  readonly limit: number;
}

export interface ProgressSession {
  readonly sessionId: string;
  readonly createTime: Date;
  readonly measure: () => Promise<DeliveryFigures>;
}

export interface ProgressSeries {
  readonly figure: string;
  readonly unit: string;
  /** Oldest first. Sessions that do not have the figure are left out. */
  readonly points: readonly ProgressPoint[];
}

export interface ProgressPoint {
  readonly sessionId: string;
  readonly sessionTime: Date;
  readonly value: number;
}

/** Sessions that are looked at. */
export const maxProgressSessions = 100;

interface Measured extends ProgressSession {
  readonly figures: DeliveryFigures;
  readonly score?: number;
}

/** Undefined: the session does not have it. */
type Figure = readonly [figure: string, unit: string, valueOf: (session: Measured) => number | undefined];

const figures: readonly Figure[] = [
  ["overall_score", "points", ({ score }) => score],
  ["average_pace", "words/min", ({ figures }) => given(figures.averagePace)],
  ["articulation_rate", "words/min", ({ figures }) => given(figures.articulationRate)],
  ["fillers_per_minute", "fillers/min", ({ figures }) => figures.fillers.perMinute],
  ["pauses_per_minute", "pauses/min", ({ figures }) => rateOf(figures, figures.pauses.count)],
  ["long_pauses_per_minute", "pauses/min", ({ figures }) => rateOf(figures, figures.pauses.longCount)],
  ["speaking_share", "%", ({ figures }) => shareOf(figures)],
];

/** Series without a point are left out. */
export async function measureProgress(
  query: Omit<ProgressQuery, "limit">,
  source: ProgressSource,
): Promise<ProgressSeries[]> {
  const sessions = await source.listSessions({ ...query, limit: maxProgressSessions });
  const scores = await source.scoresOf(sessions.map(({ sessionId }) => sessionId));
  const measured: Measured[] = [];
  for (const session of sessions) {
    await setImmediate(); // a database in this process answers without letting anybody else have a turn
    const score = scores.get(session.sessionId);
    const figures = await session.measure();
    measured.push({ ...session, figures, ...(score !== undefined && { score }) });
  }
  measured.sort((a, b) => a.createTime.getTime() - b.createTime.getTime());
  return figures.flatMap(([figure, unit, valueOf]) => {
    const points = measured.flatMap((session): ProgressPoint[] => {
      const value = valueOf(session);
      const { sessionId, createTime } = session;
      return value === undefined ? [] : [{ sessionId, sessionTime: createTime, value }];
    });
    return points.length === 0 ? [] : [{ figure, unit, points }];
  });
}

/** 0 stands for "not enough words" there. */
function given(value: number): number | undefined {
  return value === 0 ? undefined : value;
}

/** Per minute of voiced time, as fillers are. */
function rateOf({ speakingMs }: DeliveryFigures, count: number): number | undefined {
  return speakingMs === 0 ? undefined : perMinute(count, speakingMs);
}

function shareOf({ durationMs, speakingMs }: DeliveryFigures): number | undefined {
  return durationMs === 0 ? undefined : Math.min(100, (speakingMs * 100) / durationMs);
}
