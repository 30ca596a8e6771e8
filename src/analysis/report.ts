/**
 * What an analysis says about a speaker, as plain data that goes into JSON and into parley.analysis.v1.Report unchanged.
 * Mirrors parley/analysis/v1/analysis.proto; its field comments are the contract. Never computes anything.
 */

export type Aspect = "pace" | "fillers" | "pauses" | "variety" | "structure" | "coverage";

export interface Report {
  readonly rulesVersion: number;
  /** Version of the delivery formulas; that of this server also when there was no session to measure. */
  readonly formulaVersion: number;
  /** Whole number, 0 to 100. Absent when nothing could be scored. */
  readonly overallScore?: number;
  /** One for each aspect, always in the order of `Aspect`. */
  readonly scores: readonly Score[];
  /** Three, the most useful first; none when nothing was said. */
  readonly practices: readonly Practice[];
  /** Words that were analysed for content. */
  readonly totalWords: number;
}

export interface Score {
  readonly aspect: Aspect;
  /** Whole number, 0 to 100. Absent: there was not enough to go by, and `summary` says what is missing. */
  readonly value?: number;
  /** One sentence, for the person who spoke. */
  readonly summary: string;
  readonly evidence: readonly Evidence[];
}

/** A figure or a passage. */
export interface Evidence {
  /** What it shows, in words. */
  readonly text: string;
  /** Name of the figure, such as "average_pace"; empty for a passage. */
  readonly figure: string;
  /** Absent for a passage. */
  readonly value?: number;
  /** Such as "words/min"; empty for a passage. */
  readonly unit: string;
  /** Indexes into the session's words, both inclusive. Absent about the whole, or about a text without a session. */
  readonly firstWordIndex?: number;
  readonly lastWordIndex?: number;
  /** Session clock. Absent about the whole, or without a session. */
  readonly startMs?: number;
  readonly endMs?: number;
}

/** Something to practise. */
export interface Practice {
  readonly aspect: Aspect;
  /** A few words. */
  readonly title: string;
  /** What to do, concretely. */
  readonly advice: string;
  readonly evidence: readonly Evidence[];
}
