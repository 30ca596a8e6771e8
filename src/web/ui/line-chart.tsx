/**
 * One figure over time, drawn by uPlot, which is loaded with the first chart. The label says in words what the picture
 * shows. Colours are those of the page, light or dark.
 */
import { useEffect, useRef } from "preact/hooks";
import type { DrawnChart } from "./draw-line-chart.ts";
import "./line-chart.css";

export interface LineChartProps {
  /** In words what is to be seen, for those who do not see it. */
  readonly label: string;
  /** Seconds, ascending; without axes anything that ascends. */
  readonly x: ArrayLike<number>;
  /** As many; null where nothing is known. */
  readonly y: ArrayLike<number | null>;
  readonly heightPx: number;
  readonly xRange?: readonly [number, number];
  /** What the axis shows at least. */
  readonly yRange: readonly [number, number];
  /** Default linear. */
  readonly yScale?: "linear" | "logarithmic";
  /** Default: where they fit. */
  readonly yTicks?: readonly number[];
  /** Where the values are well. */
  readonly band?: { readonly from: number; readonly to: number; readonly label: string };
  /** Default "line". */
  readonly look?: "line" | "dots" | "area";
  /** Default true. Without them, what the values are stands beside the chart. */
  readonly hasAxes?: boolean;
  /** A colour of the page's tokens. Default "--accent". */
  readonly color?: string;
  /** Called with the index of the value next to a click. */
  readonly onPick?: (index: number) => void;
  /** Changes all the time: drawn at most ten times a second, and once where less motion is wanted. */
  readonly isLive?: boolean;
}

const liveFrameMs = 100;
const calmFrameMs = 1_000;

export function LineChart(props: LineChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<DrawnChart>(undefined);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    let isGone = false;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const draw = async () => {
      const { drawLineChart } = await import("./draw-line-chart.ts");
      if (isGone) return;
      chart.current?.remove();
      chart.current = drawLineChart(element, latest.current, (index) => latest.current.onPick?.(index));
    };
    // Without it the page works, and the words beside the charts say the same.
    const redraw = () => void draw().catch(() => undefined);
    redraw();
    dark.addEventListener("change", redraw);
    const resize = new ResizeObserver(() => chart.current?.resize());
    resize.observe(element);
    return () => {
      isGone = true;
      dark.removeEventListener("change", redraw);
      resize.disconnect();
      chart.current?.remove();
    };
  }, []);

  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (props.isLive !== true) {
      chart.current?.update(props);
      return;
    }
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    timer.current ??= setTimeout(
      () => {
        timer.current = undefined;
        chart.current?.update(latest.current);
      },
      isCalm ? calmFrameMs : liveFrameMs,
    );
  });
  useEffect(() => () => clearTimeout(timer.current), []);

  return (
    <div
      class={props.onPick ? "line-chart pickable" : "line-chart"}
      role="img"
      aria-label={props.label}
      style={{ height: `${props.heightPx}px` }}
      ref={place}
    />
  );
}
