/**
 * The shapes of what delivery measuring takes and gives, as plain data. Mirrors parley/transcription/v1/delivery.proto
 * and the figures of SessionSummary. All times are milliseconds of the session clock; whole numbers in give whole
 * numbers out. Never computes anything.
 */

/** Version of the formulas in this folder. Raised when the same words and spans would give other figures. */
export const FORMULA_VERSION = 1;

/** A recognised token, as written, with case and punctuation. */
export interface SpokenWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** From `startMs`, inclusive, to `endMs`, exclusive. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

export interface DeliveryInput {
  /** The session's words in order of time. All indexes in the figures point into this list. */
  readonly words: readonly SpokenWord[];
  /**
   * Where there is voice. May be unsorted, overlap and touch, as from several channels: what is voiced in any of them is
   * voiced. Empty: the words' own spans stand in.
   */
  readonly voiced: readonly Span[];
  /** Audio received so far. */
  readonly durationMs: number;
  /** `may-drop`: the engine may leave out "um" and "uh", so their absence proves nothing. */
  readonly fillers: "kept" | "may-drop";
}

export interface DeliveryFigures {
  readonly formulaVersion: number;
  readonly durationMs: number;
  /** Voiced time. */
  readonly speakingMs: number;
  /** Tokens that are words, fillers among them; `isWord` says which are. */
  readonly totalWords: number;
  /** Words per minute from the first word's start to the last word's end; 0 with fewer than two words. */
  readonly averagePace: number;
  /** Words per minute of voiced time; 0 without words or voice. */
  readonly articulationRate: number;
  readonly paceTimeline: readonly PacePoint[];
  readonly fillers: FillerFigures;
  readonly pauses: PauseFigures;
}

/** Words per minute within one window of the session. */
export interface PacePoint {
  readonly startMs: number;
  readonly endMs: number;
  readonly wordsPerMinute: number;
}

export interface FillerFigures {
  /** False when the engine may drop fillers: then every figure is absent and `uses` is empty. */
  readonly detectable: boolean;
  /** Absent when not detectable. */
  readonly count?: number;
  /** Per minute of voiced time. Absent when not detectable or without voice. */
  readonly perMinute?: number;
  /** Per 100 words, the fillers counted among the words. Absent when not detectable or without words. */
  readonly per100Words?: number;
  /** Each one, in order. */
  readonly uses: readonly Filler[];
}

export interface Filler {
  /** In lower case without punctuation: "um", "you know". */
  readonly text: string;
  readonly firstWordIndex: number;
  readonly lastWordIndex: number;
  readonly startMs: number;
  readonly endMs: number;
}

export interface PauseFigures {
  readonly count: number;
  /** How many of them are long. */
  readonly longCount: number;
  readonly totalMs: number;
  /** 0 when there is none. */
  readonly longestMs: number;
  /** Each one, in order. */
  readonly spans: readonly Pause[];
}

export interface Pause {
  readonly startMs: number;
  readonly endMs: number;
  readonly kind: "short" | "long";
}
