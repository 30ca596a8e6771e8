/**
 * Pace over time, in overlapping windows on the session clock. Takes words only (tokens that `isWord` accepts); never
 * looks at their text.
 */
import type { PacePoint, Span } from "./delivery-figures.ts";
import { perMinute } from "./per-minute.ts";

/** Length of a window of the timeline. */
export const PACE_WINDOW_MS = 15_000;

/** From the start of one window to the start of the next. */
export const PACE_STEP_MS = 5_000;

/** Least part of a window, other than the first, that lies within the session: half of it. */
const LEAST_WINDOW_MS = PACE_WINDOW_MS / 2;

/** Least session that has a timeline; in less than a second a word or two would make hundreds of words per minute. */
const LEAST_SESSION_MS = 1_000;

/**
 * Pace over time. Window k starts at k * 5 s of the session clock and ends 15 s later, or where the session ends if that
 * is sooner; the session ends at `durationMs`, or with the last word if one reaches further.
 *
 * A word belongs to every window in which its middle, (start + end) / 2, lies: start inclusive, end exclusive, the
 * session's end inclusive. The pace is words per minute of the window as it is, after cutting. A window with less than
 * 7.5 s within the session is left out, so that the tail of a session gives no wild values; the first is always kept
 * when the session lasts a second. Every word is then in at least one window. A silent window counts, with 0.
 */
export function paceTimeline(words: readonly Span[], durationMs: number): PacePoint[] {
  const middles = Float64Array.from(words, (word) => (word.startMs + word.endMs) / 2).sort();
  let sessionEndMs = durationMs;
  for (const word of words) sessionEndMs = Math.max(sessionEndMs, word.endMs);
  if (sessionEndMs < LEAST_SESSION_MS) return [];
  const points: PacePoint[] = [];
  let first = 0;
  let end = 0;
  for (let startMs = 0; startMs === 0 || sessionEndMs - startMs >= LEAST_WINDOW_MS; startMs += PACE_STEP_MS) {
    const endMs = Math.min(startMs + PACE_WINDOW_MS, sessionEndMs);
    while (first < middles.length && (middles[first] ?? 0) < startMs) first += 1;
    while (end < middles.length && isBefore(middles[end] ?? 0, endMs, sessionEndMs)) end += 1;
    points.push({ startMs, endMs, wordsPerMinute: perMinute(end - first, endMs - startMs) });
  }
  return points;
}

function isBefore(middleMs: number, windowEndMs: number, sessionEndMs: number): boolean {
  return windowEndMs === sessionEndMs ? middleMs <= windowEndMs : middleMs < windowEndMs;
}
