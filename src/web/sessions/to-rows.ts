/** Turns series, each with points of sessions, into rows, each of a session with values of every series. */
import { timestampMs, type Timestamp } from "@bufbuild/protobuf/wkt";
import type { ProgressSeries } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";

export interface ProgressRow {
  readonly sessionId: string;
  readonly time: Timestamp | undefined;
  /** In the order of the series; undefined where the session has no such figure. */
  readonly values: readonly (number | undefined)[];
}

/** Newest first. */
export function toRows(series: readonly Pick<ProgressSeries, "points">[]): readonly ProgressRow[] {
  const rows = new Map<string, { time: Timestamp | undefined; values: (number | undefined)[] }>();
  for (const [column, { points }] of series.entries()) {
    for (const { sessionId, sessionTime, value } of points) {
      const row = rows.get(sessionId) ?? {
        time: sessionTime,
        values: series.map((): number | undefined => undefined),
      };
      row.values[column] = value;
      rows.set(sessionId, row);
    }
  }
  const startOf = ({ time }: { time: Timestamp | undefined }) => (time ? timestampMs(time) : 0);
  return [...rows]
    .map(([sessionId, row]) => ({ sessionId, ...row }))
    .toSorted((a, b) => startOf(b) - startOf(a));
}
