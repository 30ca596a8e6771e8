/**
 * Pauses: the silences between voiced spans. Never counts the silence before the first voiced span or after the last.
 */
import type { Pause, PauseFigures, Span } from "./delivery-figures.ts";

/** Shortest silence that is a pause; shorter ones belong to ordinary articulation (closures, breaths). */
export const SHORTEST_PAUSE_MS = 300;

/** Shortest silence that is a long pause. */
export const LONG_PAUSE_MS = 2000;

/** Finds the pauses between spans that are ascending and apart, as `mergeSpans` gives them. */
export function findPauses(voiced: readonly Span[]): PauseFigures {
  const spans: Pause[] = [];
  let longCount = 0;
  let totalMs = 0;
  let longestMs = 0;
  let previousEndMs: number | undefined;
  for (const span of voiced) {
    const lengthMs = previousEndMs === undefined ? 0 : span.startMs - previousEndMs;
    if (previousEndMs !== undefined && lengthMs >= SHORTEST_PAUSE_MS) {
      const long = lengthMs >= LONG_PAUSE_MS;
      spans.push({ startMs: previousEndMs, endMs: span.startMs, kind: long ? "long" : "short" });
      if (long) longCount += 1;
      totalMs += lengthMs;
      longestMs = Math.max(longestMs, lengthMs);
    }
    previousEndMs = span.endMs;
  }
  return { count: spans.length, longCount, totalMs, longestMs, spans };
}
