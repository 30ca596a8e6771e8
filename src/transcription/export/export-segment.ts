/**
 * What transcript files are made from, as plain data of any store. All times are milliseconds of the session clock.
 */

/** A final of the session. */
export interface ExportSegment {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  /** From 0. When a session has several, each is a speaker: channel 0 is "Speaker 1". */
  readonly channel: number;
  /** In order of time. Empty: the text's words share the segment's time in proportion to their length. */
  readonly words: readonly ExportWord[];
}

/** A word as written, with case and punctuation. */
export interface ExportWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}
