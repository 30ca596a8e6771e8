/**
 * What one session looked like from outside: every message on the wire in its order, what the app was given, and what
 * the database held after each fault. Plain data; the checkers judge it, and nothing here does.
 */

export interface SpokenWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface Final {
  readonly segmentIndex: number;
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly words: readonly SpokenWord[];
}

/** `stream` counts the session's Transcribe calls from 0; `sequence` is the response's own. */
export type WireEvent =
  | {
      readonly kind: "opened";
      readonly stream: number;
      readonly atMs: number;
      /** Finals that the client says it has; absent: a new session. */
      readonly finalsReceived?: number;
    }
  | { readonly kind: "sent"; readonly stream: number; readonly firstSample: number; readonly samples: number }
  | ({ readonly stream: number; readonly sequence: number; readonly atMs: number } & ServerEvent)
  | { readonly kind: "closed"; readonly stream: number; readonly atMs: number; readonly error?: string };

export type ServerEvent =
  | {
      readonly kind: "started";
      readonly sessionId: string;
      readonly epoch: number;
      readonly nextSample: number;
    }
  | { readonly kind: "ack"; readonly throughSample: number }
  | { readonly kind: "final"; readonly final: Final }
  | { readonly kind: "speech"; readonly state: "started" | "ended" }
  | {
      readonly kind: "gap";
      readonly firstSample: number;
      readonly endSample: number;
      readonly reason: string;
    }
  | { readonly kind: "summary"; readonly finals: readonly Final[] }
  | { readonly kind: "other" };

/** What GetSession said. */
export interface Snapshot {
  /** How many events of the wire had come when it was asked. */
  readonly afterEvents: number;
  readonly committedThroughSample: number;
  readonly finals: readonly Final[];
  readonly isCompleted: boolean;
}

export interface SessionHistory {
  readonly name: string;
  readonly sampleRateHz: number;
  /** Audio of the whole session. */
  readonly totalSamples: number;
  readonly wire: readonly WireEvent[];
  /** The finals that the app was given, in that order. */
  readonly seenByApp: readonly Final[];
  /** After each fault; the last one after the end. */
  readonly snapshots: readonly Snapshot[];
  /** How the session ended for the app; absent: well. */
  readonly failure?: string;
}

/** What is wrong with a session. */
export interface Violation {
  readonly rule: Rule;
  readonly session: string;
  readonly detail: string;
}

export type Rule =
  | "lost-samples"
  | "lost-words"
  | "early-ack"
  | "ack-of-unsent"
  | "ack-fell"
  | "final-lost"
  | "final-changed"
  | "final-sent-again"
  | "final-seen-again"
  | "final-not-seen"
  | "overlapping-finals"
  | "repeated-word"
  | "order"
  | "sequence"
  | "epoch"
  | "clock"
  | "gap"
  | "client-hole"
  | "not-ended"
  | "agreement"
  | "orphan-process"
  | "half-open-unnoticed";

export function finalsOnWire(wire: readonly WireEvent[]): Final[] {
  return wire.flatMap((event) => (event.kind === "final" ? [event.final] : []));
}

/** Through which sample the client was told that its audio is safe. */
/** A stream that continues a session says at its start what is committed; no acknowledgement of that need follow. */
export function acknowledgedThrough(wire: readonly WireEvent[]): number {
  return wire.reduce((most, event) => {
    if (event.kind === "ack") return Math.max(most, event.throughSample);
    return event.kind === "started" ? Math.max(most, event.nextSample) : most;
  }, 0);
}

export function sameFinal(a: Final, b: Final): boolean {
  return JSON.stringify(pick(a)) === JSON.stringify(pick(b));
}

function pick({ segmentIndex, text, startMs, endMs, words }: Final): unknown {
  return [segmentIndex, text, startMs, endMs, words.map((word) => [word.text, word.startMs, word.endMs])];
}
