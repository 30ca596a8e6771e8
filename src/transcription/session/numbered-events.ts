/**
 * The events of one stream, and their numbers, which go on over all streams of a session: each commit sets numbers aside, so
 * that a stream that continues after a crash begins above all that may have been sent. Beats when nothing else is said.
 */
import type { Clock } from "../../clock.ts";
import { EventQueue } from "./event-queue.ts";
import { Heartbeat } from "./heartbeat.ts";
import { estimateBytes } from "./session-events.ts";
import type { SessionEvent } from "./session-events.ts";

export interface NumberedEventsOptions {
  readonly clock: Clock;
  /** The number of the first event. */
  readonly firstSequence: number;
  readonly maxUnreadBytes: number;
  /** The reader stopped reading; gives the error that the stream ends with. */
  readonly onOverflow: () => Error;
  /** Nothing was said for so long that the reader may take the line for dead. */
  readonly onSilence: () => void;
  /** So few numbers are left that a commit should set more aside. */
  readonly onFewNumbers: () => void;
}

const heartbeatMs = 3_000;
/** Far more than events between two commits. */
export const reservedNumbers = 4_096;
const fewNumbers = 1_024;

export class NumberedEvents {
  readonly #options: NumberedEventsOptions;
  readonly #queue: EventQueue<SessionEvent>;
  readonly #heartbeat: Heartbeat;
  #ceiling: number;

  constructor(options: NumberedEventsOptions) {
    this.#options = options;
    this.#ceiling = options.firstSequence - 1 + reservedNumbers;
    this.#queue = new EventQueue<SessionEvent>({
      maxBytes: options.maxUnreadBytes,
      sizeOf: estimateBytes,
      onOverflow: options.onOverflow,
    });
    this.#heartbeat = new Heartbeat(options.clock, heartbeatMs, options.onSilence);
  }

  /** For the one reader. */
  get queue(): EventQueue<SessionEvent> {
    return this.#queue;
  }

  /** The number of the last event. */
  get sequence(): number {
    return this.#options.firstSequence - 1 + this.#queue.pushed;
  }

  /** No event has a higher number, as the database knows it. */
  get ceiling(): number {
    return this.#ceiling;
  }

  /** Sets numbers aside; to be told to the database. */
  raiseCeiling(): number {
    this.#ceiling = this.sequence + reservedNumbers;
    return this.#ceiling;
  }

  /** What the reader has asked for, however much it is; the heart begins to beat. */
  start(events: readonly SessionEvent[]): void {
    for (const event of events) this.#queue.pushAsked(event);
    this.#heartbeat.start();
  }

  push(event: SessionEvent): void {
    this.#queue.push(event);
    this.#heartbeat.said();
    if (this.sequence > this.#ceiling - fewNumbers) this.#options.onFewNumbers();
  }

  /** The first call counts. */
  end(error?: Error): void {
    this.#heartbeat.stop();
    this.#queue.end(error);
  }
}
