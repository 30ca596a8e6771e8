/**
 * Puts cues in order so that at any time at most one is shown. Owns when a cue is shown; never its text.
 */

export interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  /** Words joined by single spaces; fits two lines unless a single word does not. */
  readonly text: string;
  readonly channel: number;
}

/** How long a short cue stays when nothing follows, so that it can be read. */
const READABLE_MS = 1_000;

/** Longest that a cue keeps the one after it waiting, when they were spoken at the same time. */
const LONGEST_WAIT_MS = 700;

/** Least that any cue stays, even one whose words have no length. */
const SHORTEST_CUE_MS = 200;

/**
 * Cues by start, each ending before or when the next begins. A cue that is spoken over by the next (crosstalk of two
 * channels) is cut short there, but stays as long as its own words up to 700 ms, and the next begins that much later.
 * A cue of less than a second lingers to a second if there is room.
 */
export function spaceCues(cues: readonly Cue[]): Cue[] {
  const spaced: Cue[] = [];
  let earliestMs = 0;
  const ordered = cues.toSorted((a, b) => a.startMs - b.startMs || a.channel - b.channel);
  for (const cue of ordered) {
    const startMs = Math.max(cue.startMs, earliestMs);
    const leastMs = Math.min(Math.max(cue.endMs - cue.startMs, SHORTEST_CUE_MS), LONGEST_WAIT_MS);
    const previous = spaced.at(-1);
    if (previous !== undefined && previous.endMs > startMs) {
      spaced[spaced.length - 1] = { ...previous, endMs: startMs };
    }
    spaced.push({ ...cue, startMs, endMs: Math.max(cue.endMs, startMs + leastMs, startMs + READABLE_MS) });
    earliestMs = startMs + leastMs;
  }
  return spaced;
}
