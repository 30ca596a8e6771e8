/**
 * Counts calls against a rate, by key. The generic cell rate algorithm (ITU-T I.371, annex A): of each key only the moment is
 * kept at which all that was admitted would have come at an even pace. Bounded in memory and in work, however many keys a
 * flood comes with; knows no call and no caller.
 */
import { RecentMap } from "../../recent-map.ts";

const minuteMs = 60_000;
/** Beyond them those that were not counted for long start anew. */
const maxKeys = 200_000;
/** What sums of fractions are off by, in milliseconds. */
const roundingMs = 1e-6;

export class CallRates {
  /** By key: when the paced calls end, in milliseconds after `#beganMs`, which keeps the fractions exact. */
  readonly #ends = new RecentMap<number>(maxKeys);
  readonly #now: () => number;
  readonly #beganMs: number;
  #sweptAtMs = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#beganMs = now();
  }

  /** Counts one call, unless it is too many: then it does not count, and this is how long to wait, in milliseconds. */
  take(key: string, perMinute: number): number | undefined {
    const waitMs = this.waitOf(key, perMinute);
    if (waitMs !== undefined) return waitMs;
    const nowMs = this.#now() - this.#beganMs;
    this.#ends.set(key, this.#nextEnd(key, perMinute, nowMs));
    this.#sweep(nowMs);
    return undefined;
  }

  /** How long to wait before another call would be admitted, in milliseconds; undefined when one would be now. */
  waitOf(key: string, perMinute: number): number | undefined {
    const nowMs = this.#now() - this.#beganMs;
    const waitMs = this.#nextEnd(key, perMinute, nowMs) - nowMs - minuteMs;
    if (waitMs <= roundingMs) return undefined;
    // A clock that was put back must lock nobody out for longer than the rate ever would.
    return Math.min(Math.ceil(waitMs - roundingMs), minuteMs);
  }

  get size(): number {
    return this.#ends.size;
  }

  #nextEnd(key: string, perMinute: number, nowMs: number): number {
    return Math.max(nowMs, this.#ends.get(key) ?? nowMs) + minuteMs / perMinute;
  }

  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptAtMs < minuteMs) return;
    this.#sweptAtMs = nowMs;
    this.#ends.deleteWhere((endMs) => endMs <= nowMs);
  }
}
