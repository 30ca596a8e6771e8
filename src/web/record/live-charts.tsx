/** Pace, loudness and pitch while somebody speaks. Each chart follows its own signal, and nothing else is drawn with it. */
import { LineChart } from "../ui/line-chart.tsx";
import { formatDuration } from "../ui/format.ts";
import { traceFrameMs } from "../audio/voice-tracer.ts";
import { comfortableWpm } from "./comfortable-pace.ts";
import type { LiveFigures } from "./live-figures.ts";
import { describePace } from "./describe-pace.ts";

/** Long sessions are shown whole; a short one leaves room for what comes. */
const leastPaceSeconds = 60;
const softestShownDbfs = -70;

export function PaceChart({ figures }: { readonly figures: LiveFigures }) {
  const pace = figures.pace.value;
  const x = pace.map(({ startMs, endMs }) => (startMs + endMs) / 2000);
  return (
    <figure class="chart">
      <figcaption>
        Pace <span class="soft">words a minute, each over 15 s</span>
      </figcaption>
      <LineChart
        label={`Pace over time. ${describePace(pace.at(-1)?.wordsPerMinute)}`}
        x={x}
        y={pace.map(({ wordsPerMinute }) => wordsPerMinute)}
        xRange={[0, Math.max(leastPaceSeconds, x.at(-1) ?? 0)]}
        yRange={[60, 220]}
        band={{ ...comfortableWpm, label: "comfortable" }}
        heightPx={150}
        isLive
      />
    </figure>
  );
}

export function VoiceCharts({ figures }: { readonly figures: LiveFigures }) {
  const { startMs, levelsDbfs, pitchesHz } = figures.trace.value;
  const x = Float64Array.from(levelsDbfs, (_, index) => (startMs + (index + 0.5) * traceFrameMs) / 1000);
  const xRange = [Math.max(0, x[0] ?? 0), Math.max(30, x.at(-1) ?? 0)] as const;
  const levelDbfs = levelsDbfs.at(-1) ?? NaN;
  const voiced = pitchesHz.findLast((hz) => !Number.isNaN(hz));
  const until = formatDuration((x.at(-1) ?? 0) * 1000);
  return (
    <>
      <figure class="chart">
        <figcaption>
          Loudness <span class="soft">dB below full scale</span>
        </figcaption>
        <LineChart
          label={`Loudness of the last half minute, up to ${until}. ${Number.isNaN(levelDbfs) ? "" : `Now ${Math.round(levelDbfs)} dB.`}`}
          x={x}
          y={known(levelsDbfs.map((level) => Math.max(softestShownDbfs, level)))}
          xRange={xRange}
          yRange={[softestShownDbfs, 0]}
          look="area"
          color="--voice-1"
          heightPx={96}
          isLive
        />
      </figure>
      <figure class="chart">
        <figcaption>
          Pitch <span class="soft">Hz, where there is voice</span>
        </figcaption>
        <LineChart
          label={`Pitch of the last half minute. ${voiced === undefined ? "" : `Last ${Math.round(voiced)} Hz.`}`}
          x={x}
          y={known(pitchesHz)}
          xRange={xRange}
          yRange={[60, 500]}
          yScale="logarithmic"
          yTicks={[75, 150, 300]}
          look="dots"
          color="--voice-2"
          heightPx={110}
          isLive
        />
      </figure>
    </>
  );
}

function known(values: Float32Array): (number | null)[] {
  return Array.from(values, (value) => (Number.isNaN(value) ? null : value));
}
