/**
 * One figure over the sessions: where it stands, how that compares, and the line that it took, by session and not by time:
 * what counts is what one did, not when one was away.
 */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { ProgressSeries } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { formatNumber } from "../ui/format.ts";
import { LineChart } from "../ui/line-chart.tsx";
import { describeChange } from "./describe-change.ts";
import { titleOf } from "./title-of.ts";

export function SmallChart({ series }: { readonly series: ProgressSeries }) {
  const { figure, unit, points } = series;
  const title = titleOf(figure);
  const { latest, change } = describeChange(series);
  const values = points.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => formatNumber(value));
  return (
    <figure class="small-chart">
      <figcaption>
        <h3>{title}</h3>
        <p>
          <span class="stat-value">{latest}</span>
          {unit !== "" && <span class="stat-unit"> {unit}</span>}
        </p>
        <p class="hint">{change}</p>
      </figcaption>
      <LineChart
        label={`${title} over ${points.length} sessions: between ${low} and ${high}, last ${latest}.`}
        heightPx={72}
        x={values.map((_, index) => index)}
        y={values}
        yRange={roomAround(Math.min(...values), Math.max(...values))}
        hasAxes={false}
      />
      <p class="small-chart-ends hint" aria-hidden="true">
        <span>{dateOf(points[0])}</span>
        <span>{dateOf(points.at(-1))}</span>
      </p>
    </figure>
  );
}

/** So that small differences look small: the line takes at most as much of the height as it changes of its value. */
function roomAround(min: number, max: number): [number, number] {
  const middle = (min + max) / 2;
  const half = Math.max((max - min) * 0.6, Math.abs(middle) * 0.15, 0.5);
  return [middle - half, middle + half];
}

function dateOf(point: ProgressSeries["points"][number] | undefined): string {
  if (!point?.sessionTime) return "";
  return new Date(timestampMs(point.sessionTime)).toLocaleDateString(undefined, {
    day: "numeric",
    month: "short",
  });
}
