/** Says something when nothing else was said for a while, so that the other side can tell a silent line from a dead one. */
import type { Clock } from "../../clock.ts";

export class Heartbeat {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #beat: () => void;
  #saidAt = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, intervalMs: number, beat: () => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#beat = beat;
  }

  start(): void {
    this.said();
    this.#wait(this.#intervalMs);
  }

  /** Something was said: the next beat is an interval away. */
  said(): void {
    this.#saidAt = this.#clock.now();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => {
      const leftMs = this.#saidAt + this.#intervalMs - this.#clock.now();
      if (leftMs > 0) {
        this.#wait(leftMs);
        return;
      }
      this.said();
      this.#wait(this.#intervalMs);
      this.#beat();
    });
  }
}
