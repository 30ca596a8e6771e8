/** Arithmetic on spans of samples. */
import type { SampleSpan } from "../../speech-engine.ts";

/** What of the spans lies inside the range. */
export function spansWithin(spans: readonly SampleSpan[], range: SampleSpan): SampleSpan[] {
  return spans
    .map((span) => ({
      startSample: Math.max(range.startSample, span.startSample),
      endSample: Math.min(range.endSample, span.endSample),
    }))
    .filter((span) => span.endSample > span.startSample);
}

export function totalSamples(spans: readonly SampleSpan[]): number {
  return spans.reduce((sum, span) => sum + span.endSample - span.startSample, 0);
}
