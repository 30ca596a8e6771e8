/**
 * The pace to show while somebody speaks. Only picks from a timeline; never measures.
 */
import type { PacePoint } from "./delivery-figures.ts";
import { PACE_WINDOW_MS } from "./pace-timeline.ts";

/**
 * The last full window, or undefined in the first 15 s. Words that are not final yet are missing from it, so pass a
 * timeline measured up to where finals are complete.
 */
export function currentPace(timeline: readonly PacePoint[]): PacePoint | undefined {
  return timeline.findLast((point) => point.endMs - point.startMs === PACE_WINDOW_MS);
}
