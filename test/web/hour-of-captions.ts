/**
 * An hour of a session in the page, as a recording draws it: captions, counts and the chart of pace, with the studio's own
 * styles, each event drawn before the next. For a bench; talks to no server.
 */
import { create } from "@bufbuild/protobuf";
import { Fragment, h, render } from "preact";
import {
  AudioAckSchema,
  DeliveryUpdateSchema,
  TranscriptSchema,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { TranscriptionEvent } from "../../src/client/index.ts";
import { CaptionsView } from "../../src/web/record/captions-view.tsx";
import { Captions } from "../../src/web/record/captions.ts";
import { PaceChart } from "../../src/web/record/live-charts.tsx";
import { LiveFigures } from "../../src/web/record/live-figures.ts";
import { LiveStats } from "../../src/web/record/live-stats.tsx";
import "../../src/web/styles/tokens.css";
import "../../src/web/styles/base.css";
import "../../src/web/styles/components.css";
import "../../src/web/record/record.css";

const segmentMs = 3_000;
const segmentsPerMinute = 60_000 / segmentMs;
const wordMs = 300;
/** How many words of a segment are there with each of its results; the last is final. */
const results = [2, 5, 8];

/** Of results; what the server says besides comes with finals. */
export const captionsPerMinute = segmentsPerMinute * results.length;

/** Draws a session of which nothing was said yet, in place of the one before. */
export function beginSession(): (event: TranscriptionEvent) => void {
  const captions = new Captions();
  const figures = new LiveFigures();
  render(null, document.body);
  const figuresOf = [h(LiveStats, { figures }), h(PaceChart, { figures })];
  render(
    h("div", { class: "recording-columns" }, [
      h(CaptionsView, { captions, hint: "" }),
      h("section", { class: "figures card" }, h(Fragment, null, ...figuresOf)),
    ]),
    document.body,
  );
  return (event) => {
    if (event.case === "transcript") captions.take(event.value);
    figures.take(event);
  };
}

/** So many minutes from one on; `gapMs` between captions, or with 0 a frame of the page between finals alone. */
export async function speak(
  take: (event: TranscriptionEvent) => void,
  from: number,
  minutes: number,
  gapMs: number,
): Promise<void> {
  const firstSegment = from * segmentsPerMinute;
  for (let index = firstSegment; index < firstSegment + minutes * segmentsPerMinute; index += 1) {
    for (const count of gapMs === 0 ? results.slice(-1) : results) {
      const isFinal = count === results.at(-1);
      take({ case: "transcript", value: transcript(index, count, isFinal) });
      if (isFinal) sayWhatIsSafe(take, index);
      if (gapMs > 0) await new Promise((resolve) => setTimeout(resolve, gapMs));
      await new Promise(requestAnimationFrame);
    }
  }
}

function transcript(segmentIndex: number, count: number, isFinal: boolean) {
  const words = Array.from({ length: count }, (_, index) => {
    const startMs = segmentIndex * segmentMs + index * wordMs;
    return { text: `word${index + segmentIndex}`, startMs, endMs: startMs + wordMs };
  });
  const text = words.map((word) => word.text).join(" ");
  return create(TranscriptSchema, { segmentIndex, isFinal, text, words });
}

function sayWhatIsSafe(take: (event: TranscriptionEvent) => void, segmentIndex: number): void {
  const segments = segmentIndex + 1;
  const totalWords = segments * (results.at(-1) ?? 0);
  take({
    case: "deliveryUpdate",
    value: create(DeliveryUpdateSchema, { totalWords, fillersDetectable: true }),
  });
  take({ case: "audioAck", value: create(AudioAckSchema, { throughMs: segments * segmentMs }) });
}
