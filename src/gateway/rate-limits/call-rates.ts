/**
 * Counts calls against a rate, by key. The generic cell rate algorithm (ITU-T I.371, annex A): of each key only the moment is
 * kept at which all that was admitted would have come at an even pace. Bounded in memory; knows no call and no caller.
 */

const minuteMs = 60_000;
/** Above this many keys those that count for nothing any more are looked for; in any case once a minute. */
const maxKeys = 200_000;

export class CallRates {
  /** By key: when the paced calls end, in milliseconds since the epoch. */
  readonly #endMs = new Map<string, number>();
  readonly #now: () => number;
  #sweptAtMs: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#sweptAtMs = now();
  }

  /** Counts one call, unless it is too many: then it does not count, and this is how long to wait, in milliseconds. */
  take(key: string, perMinute: number): number | undefined {
    const waitMs = this.waitOf(key, perMinute);
    if (waitMs !== undefined) return waitMs;
    const nowMs = this.#now();
    this.#sweep(nowMs);
    this.#endMs.set(key, Math.max(nowMs, this.#endMs.get(key) ?? 0) + minuteMs / perMinute);
    return undefined;
  }

  /** How long to wait before another call would be admitted, in milliseconds; undefined when one would be now. */
  waitOf(key: string, perMinute: number): number | undefined {
    const nowMs = this.#now();
    const endMs = Math.max(nowMs, this.#endMs.get(key) ?? 0) + minuteMs / perMinute;
    // A clock that was put back must lock nobody out for longer than the rate ever would.
    const waitMs = Math.min(endMs - nowMs - minuteMs, minuteMs);
    return waitMs > 1e-6 * minuteMs ? Math.ceil(waitMs) : undefined;
  }

  get size(): number {
    return this.#endMs.size;
  }

  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptAtMs < minuteMs && this.#endMs.size < maxKeys) return;
    this.#sweptAtMs = nowMs;
    for (const [key, endMs] of this.#endMs) if (endMs <= nowMs) this.#endMs.delete(key);
    // A flood from more keys than that: whoever has been quiet for longest starts anew.
    for (const key of this.#endMs.keys()) {
      if (this.#endMs.size < maxKeys) break;
      this.#endMs.delete(key);
    }
  }
}
