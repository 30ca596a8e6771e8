/** What of a session is committed: finals, gaps, the engines that heard them, and the figures over them. Holds no audio. */
import type { AudioGap, EngineRecord, StoredSegment } from "../session-store.ts";
import { joinRecords } from "./engine-record.ts";
import { takeSnapshot } from "./session-events.ts";
import type { DeliverySnapshot, SessionSummary } from "./session-events.ts";
import type { ContinuedSession } from "./session-options.ts";
import { measureSegments, summarize } from "./summarize.ts";

export class SessionWords {
  readonly #segments: StoredSegment[];
  readonly #gaps: AudioGap[];
  #engine: EngineRecord | undefined;
  #wordCount = 0;

  constructor(continued?: Pick<ContinuedSession, "segments" | "gaps" | "engine">) {
    this.#segments = [...(continued?.segments ?? [])];
    this.#gaps = [...(continued?.gaps ?? [])];
    this.#engine = continued?.engine;
  }

  /** Undefined before an engine was opened. */
  get engine(): EngineRecord | undefined {
    return this.#engine;
  }

  /** Words when the figures were last taken. */
  get wordCount(): number {
    return this.#wordCount;
  }

  get nextSegmentIndex(): number {
    return this.#segments.reduce((next, segment) => Math.max(next, segment.segmentIndex + 1), 0);
  }

  get nextFinalNumber(): number {
    return this.#segments.reduce((next, segment) => Math.max(next, segment.finalNumber + 1), 1);
  }

  addEngine(engine: EngineRecord): void {
    this.#engine = this.#engine ? joinRecords(this.#engine, engine) : engine;
  }

  addSegment(segment: StoredSegment): void {
    this.#segments.push(segment);
  }

  addGap(gap: AudioGap): void {
    this.#gaps.push(gap);
  }

  /** The end of the channel's last final or gap, in samples of the session clock; 0 before the first. */
  endOf(channel: number): number {
    const gaps = this.#gaps.filter((gap) => gap.channel === undefined || gap.channel === channel);
    return [...this.#segments.filter((segment) => segment.channel === channel), ...gaps].reduce(
      (end, { endSample }) => Math.max(end, endSample),
      0,
    );
  }

  /** The finals after so many, in the order of their commits. */
  after(finalsReceived: number): readonly StoredSegment[] {
    return this.#segments
      .filter((segment) => segment.finalNumber > finalsReceived)
      .sort((a, b) => a.finalNumber - b.finalNumber);
  }

  takeFigures(durationMs: number): DeliverySnapshot {
    const fillers = this.#engine?.fillers ?? "may-drop";
    const figures = measureSegments(this.#segments, { durationMs, fillers });
    this.#wordCount = figures.totalWords;
    return takeSnapshot(figures);
  }

  /** Once an engine was opened. */
  summarize(session: { sessionId: string; durationMs: number; interviewId?: string }): SessionSummary {
    if (!this.#engine) throw new Error("the session was never opened");
    return summarize({ ...session, ...this.#engine }, this.#segments, this.#gaps);
  }
}
