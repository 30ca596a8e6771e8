/** One figure over the sessions: where it stands, how that compares, and the line that it took. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import type { ProgressSeries } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { Chart } from "../ui/chart.tsx";
import type { ChartTheme } from "../ui/chart-theme.ts";
import { describeChange, formatValue } from "./describe-change.ts";
import { describeFigure } from "./describe-figure.ts";

export function SmallChart({ series }: { readonly series: ProgressSeries }) {
  const { figure, unit, points } = series;
  const { title } = describeFigure(figure, unit);
  const { latest, change } = describeChange(series);
  const values = points.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => formatValue(value, unit));
  // By session and not by time: what counts is what one did, not when one was away.
  const data = useMemo((): uPlot.AlignedData => [points.map((_, index) => index + 1), values], [series]);
  return (
    <figure class="small-chart">
      <figcaption>
        <h3>{title}</h3>
        <p>
          <span class="stat-value">{latest}</span>
          {unit !== "" && unit !== "ms" && <span class="stat-unit"> {unit}</span>}
        </p>
        <p class="hint">{change}</p>
      </figcaption>
      <Chart
        label={`${title} over ${points.length} sessions: between ${low} and ${high}, last ${latest}.`}
        heightPx={72}
        data={data}
        options={optionsFor}
      />
      <p class="small-chart-ends hint" aria-hidden="true">
        <span>{dateOf(points[0])}</span>
        <span>{dateOf(points.at(-1))}</span>
      </p>
    </figure>
  );
}

function optionsFor({ accent, surface }: ChartTheme): Omit<uPlot.Options, "width" | "height"> {
  return {
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 6, 8, 6],
    axes: [{ show: false }, { show: false }],
    scales: { x: { time: false }, y: { range: (_, min, max) => roomAround(min, max) } },
    series: [
      {},
      {
        stroke: accent,
        width: 2,
        points: { show: (_, __, first, last) => last - first < 24, size: 6, fill: surface, stroke: accent },
      },
    ],
  };
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
