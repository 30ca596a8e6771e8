/** Draws a line chart with uPlot, and the only place that knows it. Holds no state of the page. */
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { LineChartProps } from "./line-chart.tsx";

/** So many values are marked each with a point; more make a line. */
const mostMarked = 40;

export interface DrawnChart {
  update(props: LineChartProps): void;
  /** To the size of its place. */
  resize(): void;
  remove(): void;
}

export function drawLineChart(
  place: HTMLElement,
  props: LineChartProps,
  onPick: (index: number) => void,
): DrawnChart {
  let shown = props;
  const chart = new UPlot(
    options(place, () => shown, onPick),
    dataOf(props),
    place,
  );
  return {
    update(next) {
      shown = next;
      chart.setData(dataOf(next));
    },
    resize: () => chart.setSize({ width: place.clientWidth, height: shown.heightPx }),
    remove: () => chart.destroy(),
  };
}

function dataOf({ x, y }: LineChartProps): UPlot.AlignedData {
  return [Array.from(x), Array.from(y)];
}

function options(
  place: HTMLElement,
  shown: () => LineChartProps,
  onPick: (index: number) => void,
): UPlot.Options {
  const style = getComputedStyle(place);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const { heightPx, look = "line", color = "--accent", yScale = "linear", yTicks, onPick: picks } = shown();
  const { hasAxes = true } = shown();
  const stroke = token(color);
  const axis: UPlot.Axis = {
    stroke: token("--ink-soft"),
    font: `12px ${token("--font-ui")}`,
    grid: { stroke: token("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: place.clientWidth,
    height: heightPx,
    padding: hasAxes ? [8, 12, 0, 0] : [6, 6, 6, 6],
    legend: { show: false },
    cursor: { show: picks !== undefined, y: false, drag: { setScale: false }, points: { size: 8 } },
    scales: {
      x: { time: false, range: (_, from, to) => [...(shown().xRange ?? [from, Math.max(to, from + 1)])] },
      y: {
        // Its name in uPlot is a const enum, which modules that are compiled one by one cannot use.
        // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
        ...(yScale === "logarithmic" && { distr: 3, log: 2 }),
        range: (_, from: number | null, to: number | null) => {
          const [least, most] = shown().yRange;
          return [Math.min(least, from ?? least), Math.max(most, to ?? most)];
        },
      },
    },
    axes: hasAxes
      ? [
          { ...axis, size: 26, space: 70, grid: { show: false }, values: (_, ticks) => ticks.map(clock) },
          {
            ...axis,
            size: 40,
            space: 28,
            ...(yTicks && { splits: [...yTicks], filter: (_, splits) => splits }),
          },
        ]
      : [{ show: false }, { show: false }],
    series: [
      {},
      {
        stroke,
        width: look === "dots" ? 0 : 2,
        ...(look === "area" && { fill: token("--accent-soft"), fillTo: shown().yRange[0] }),
        points: {
          // Asked for each drawing: a live chart begins with none.
          show: () => look === "dots" || shown().x.length < mostMarked,
          size: look === "dots" ? 3 : 5,
          fill: stroke,
        },
        ...(look === "dots" && { paths: () => null }),
      },
    ],
    hooks: {
      drawAxes: [(chart) => drawBand(chart, shown(), token)],
      ready: [
        (chart) => {
          chart.over.addEventListener("click", () => {
            const { idx } = chart.cursor;
            if (picks && typeof idx === "number") onPick(idx);
          });
        },
      ],
    },
  };
}

/** Below the line, above the grid. */
function drawBand(chart: UPlot, { band }: LineChartProps, token: (name: string) => string): void {
  if (!band) return;
  const { ctx, bbox } = chart;
  const top = chart.valToPos(band.to, "y", true);
  const bottom = chart.valToPos(band.from, "y", true);
  ctx.save();
  ctx.fillStyle = token("--accent-soft");
  ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
  ctx.fillStyle = token("--ink-soft");
  ctx.font = `${12 * devicePixelRatio}px ${token("--font-ui")}`;
  ctx.textAlign = "right";
  ctx.textBaseline = "bottom";
  ctx.fillText(band.label, bbox.left + bbox.width, top - 3 * devicePixelRatio);
  ctx.restore();
}

/** `1:05`. */
function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
