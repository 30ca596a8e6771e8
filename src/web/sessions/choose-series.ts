/** Which of the server's series are drawn: those that show a change. */
import type { ProgressSeries } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";

/** One point shows nothing. */
const minPoints = 2;

export function chooseSeries(series: readonly ProgressSeries[]): readonly ProgressSeries[] {
  return series.filter(({ points }) => points.length >= minPoints);
}
