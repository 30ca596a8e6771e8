/**
 * A uPlot chart that fits its place and wears the studio's colours, light or dark. For the eye: who uses it says the same in
 * words or a table beside it, and `label` says in a sentence what the picture shows.
 */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { readTheme, type ChartTheme } from "./chart-theme.ts";

export interface ChartProps {
  readonly label: string;
  readonly heightPx: number;
  /** Times or numbers first, then each series. A new value is drawn at once. */
  readonly data: uPlot.AlignedData;
  /** Must not change; called again when the colours do. */
  readonly options: (theme: ChartTheme) => Omit<uPlot.Options, "width" | "height">;
  /** Called with the chart when it is made, and with nothing when it is gone. */
  readonly onChart?: (chart: uPlot | undefined) => void;
}

export function Chart({ label, heightPx, data, options, onChart }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const draw = () => {
      chart.current?.destroy();
      const size = { width: element.clientWidth, height: heightPx };
      chart.current = new uPlot({ ...options(readTheme(element)), ...size }, latest.current, element);
      onChart?.(chart.current);
    };
    draw();
    const resized = new ResizeObserver(() => {
      const width = element.clientWidth;
      if (width > 0 && width !== chart.current?.width) chart.current?.setSize({ width, height: heightPx });
    });
    resized.observe(element);
    const colours = matchMedia("(prefers-color-scheme: dark)");
    colours.addEventListener("change", draw);
    return () => {
      resized.disconnect();
      colours.removeEventListener("change", draw);
      chart.current?.destroy();
      chart.current = undefined;
      onChart?.(undefined);
    };
  }, []);

  useEffect(() => chart.current?.setData(data), [data]);

  return <div class="chart" role="img" aria-label={label} ref={place} />;
}
