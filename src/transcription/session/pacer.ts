/** Runs something soon after it is asked for, and never more often than once an interval. */
import type { Clock } from "../../clock.ts";

export class Pacer {
  readonly #clock: Clock;
  readonly #intervalMs: () => number;
  readonly #run: () => void;
  #lastAt = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, intervalMs: () => number, run: () => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#run = run;
  }

  /** Once is enough until it has run. */
  ask(): void {
    if (this.#cancel) return;
    const waitMs = Math.max(0, this.#lastAt + this.#intervalMs() - this.#clock.now());
    this.#cancel = this.#clock.after(waitMs, () => {
      this.#cancel = undefined;
      this.#lastAt = this.#clock.now();
      this.#run();
    });
  }

  /** Forgets what was asked for. */
  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
