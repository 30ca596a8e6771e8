/** Which of the server's series are drawn, and in which order: those that show a change. */
import type { ProgressSeries } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { figureOrder } from "./describe-figure.ts";

/** One point shows nothing. */
const minPoints = 2;

export function chooseSeries(series: readonly ProgressSeries[]): readonly ProgressSeries[] {
  const place = ({ figure }: ProgressSeries) => {
    const at = figureOrder.indexOf(figure);
    return at === -1 ? figureOrder.length : at;
  };
  return series.filter(({ points }) => points.length >= minPoints).toSorted((a, b) => place(a) - place(b));
}
