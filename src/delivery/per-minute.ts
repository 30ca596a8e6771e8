/**
 * The one conversion from a count and a time to a rate. Never divides by nothing.
 */

const MINUTE_MS = 60_000;

/** How many per minute of `elapsedMs`; 0 when no time passed. */
export function perMinute(count: number, elapsedMs: number): number {
  return elapsedMs > 0 ? (count * MINUTE_MS) / elapsedMs : 0;
}
