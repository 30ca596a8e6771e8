/** How many may watch at once: in all, and by one caller. */
import { SessionError } from "../session-error.ts";

export interface WatchLimitValues {
  /** In all; each may hold up to the bound of unread events. Default 2000. */
  readonly maxWatches: number;
  /** By one user or participant. Default 32; a service, which watches for many, is limited by `maxWatches` alone. */
  readonly maxPerCaller: number;
}

export const defaultWatchLimits: WatchLimitValues = { maxWatches: 2000, maxPerCaller: 32 };

export class WatchLimits {
  readonly #limits: WatchLimitValues;
  readonly #byCaller = new Map<string, number>();
  #count = 0;

  constructor(limits: WatchLimitValues) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  /** Throws SessionError `limit`. The returned function must be called once the watch is over; safe to repeat. */
  admit(caller: string, options: { readonly isService: boolean }): () => void {
    const ofCaller = this.#byCaller.get(caller) ?? 0;
    if (!options.isService && ofCaller >= this.#limits.maxPerCaller) {
      throw new SessionError(
        "limit",
        `you watch ${ofCaller} sessions or rooms already, the most there may be`,
      );
    }
    if (this.#count >= this.#limits.maxWatches)
      throw new SessionError("limit", "too many are watching on this server; try again later");
    this.#count += 1;
    this.#byCaller.set(caller, ofCaller + 1);
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.#count -= 1;
      const left = (this.#byCaller.get(caller) ?? 1) - 1;
      if (left === 0) this.#byCaller.delete(caller);
      else this.#byCaller.set(caller, left);
    };
  }
}
