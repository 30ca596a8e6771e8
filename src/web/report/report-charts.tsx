/** Pace over the session, and loudness and pitch where this browser has the sound. A click shows and plays that place. */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { SessionSummary } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { flatBelowDb, measureVoice, monotoneBelowSemitones } from "../audio/measure-voice.ts";
import type { Recording, RecordingStore } from "../audio/recording-store.ts";
import { thinTrace } from "../audio/thin-trace.ts";
import { traceRecording } from "../audio/trace-recording.ts";
import type { VoiceTrace } from "../audio/voice-tracer.ts";
import { comfortableWpm } from "../record/comfortable-pace.ts";
import { judgePace } from "../record/describe-pace.ts";
import { Card } from "../ui/card.tsx";
import { LineChart } from "../ui/line-chart.tsx";
import { Loading } from "../ui/loading.tsx";
import { Stat } from "../ui/stat.tsx";
import { placeOfSpan } from "./cited-place.ts";
import type { ReportStage } from "./report-stage.ts";

export interface ChartProps {
  readonly summary: SessionSummary;
  readonly stage: ReportStage;
}

export function PaceTimeline({ summary, stage }: ChartProps) {
  const { paceTimeline, averagePace, words, durationMs } = summary;
  if (paceTimeline.length === 0) return null;
  const inBand = paceTimeline.filter(
    ({ wordsPerMinute }) => judgePace(wordsPerMinute) === "comfortable",
  ).length;
  const share = Math.round((100 * inBand) / paceTimeline.length);
  const show = (index: number) => {
    const point = paceTimeline[index];
    if (point) stage.show(placeOfSpan(point.startMs, point.endMs, words));
  };
  return (
    <Card
      title="Pace"
      lead={`Words a minute, each over 15 s. ${share}% of the time between ${comfortableWpm.from} and ${comfortableWpm.to}. Click a point to see and hear it.`}
    >
      <LineChart
        label={`Pace over time: ${Math.round(averagePace)} words a minute on average, ${share}% of the time within the comfortable ${comfortableWpm.from} to ${comfortableWpm.to}.`}
        x={paceTimeline.map(({ startMs, endMs }) => (startMs + endMs) / 2000)}
        y={paceTimeline.map(({ wordsPerMinute }) => wordsPerMinute)}
        xRange={[0, durationMs / 1000]}
        yRange={[60, 220]}
        band={{ ...comfortableWpm, label: "comfortable" }}
        heightPx={190}
        onPick={show}
      />
    </Card>
  );
}

export interface VoiceProps extends ChartProps {
  readonly store: RecordingStore;
  readonly recording: Recording;
}

const maxPoints = 1_000;
const softestShownDbfs = -70;

export function Voice({ summary, stage, store, recording }: VoiceProps) {
  const [trace, setTrace] = useState<Pick<VoiceTrace, "levelsDbfs" | "pitchesHz">>();
  useEffect(() => {
    const leaving = new AbortController();
    traceRecording(store, recording, leaving.signal).then(
      (whole) => whole && setTrace(whole),
      () => undefined, // the report stands without it
    );
    return () => leaving.abort();
  }, [store, recording]);
  const figures = useMemo(() => trace && measureVoice(trace), [trace]);
  const thin = useMemo(() => trace && thinTrace(trace, maxPoints), [trace]);
  const lead = "Measured here, from the recording in this browser.";
  if (!thin) {
    return (
      <Card title="Voice" lead={lead}>
        <Loading>Listening to the recording</Loading>
      </Card>
    );
  }
  const xRange = [0, summary.durationMs / 1000] as const;
  const show = (index: number) => {
    const atMs = (thin.seconds[index] ?? 0) * 1000;
    stage.show(placeOfSpan(Math.max(0, atMs - 1_000), atMs + 1_000, summary.words));
  };
  return (
    <Card title="Voice" lead={lead}>
      {figures ? (
        <dl class="stats">
          <Stat
            label="Pitch"
            value={Math.round(figures.medianHz)}
            unit="Hz"
            note={`moves by ${figures.pitchSpreadSemitones.toFixed(1)} semitones${figures.pitchSpreadSemitones < monotoneBelowSemitones ? ": monotone" : ""}`}
          />
          <Stat
            label="Loudness"
            value={Math.round(figures.levelDbfs)}
            unit="dBFS"
            note={`moves by ${figures.levelSpreadDb.toFixed(1)} dB${figures.levelSpreadDb < flatBelowDb ? ": flat" : ""}`}
          />
        </dl>
      ) : (
        <p class="soft small">There is too little voice to measure.</p>
      )}
      <figure class="chart">
        <figcaption>
          Loudness <span class="soft">dB below full scale</span>
        </figcaption>
        <LineChart
          label={`Loudness over time${figures ? `, ${Math.round(figures.levelDbfs)} dBFS on the whole` : ""}.`}
          x={thin.seconds}
          y={thin.levelsDbfs.map((level) => Math.max(softestShownDbfs, level))}
          xRange={xRange}
          yRange={[softestShownDbfs, 0]}
          look="area"
          heightPx={110}
          onPick={show}
        />
      </figure>
      <figure class="chart">
        <figcaption>
          Pitch <span class="soft">Hz, where there is voice</span>
        </figcaption>
        <LineChart
          label={`Pitch over time${figures ? `, ${Math.round(figures.medianHz)} Hz in the middle` : ""}.`}
          x={thin.seconds}
          y={thin.pitchesHz}
          xRange={xRange}
          yRange={[60, 500]}
          yScale="logarithmic"
          yTicks={[75, 150, 300]}
          look="dots"
          color="--voice-2"
          heightPx={130}
          onPick={show}
        />
      </figure>
    </Card>
  );
}
