/** Watches the time until a stream's token expires: warns a minute before, and says when it is over. */
import type { Clock } from "../../clock.ts";

export interface TokenTimerOptions {
  readonly clock: Clock;
  readonly onExpiring: (deadline: Date) => void;
  readonly onExpired: () => void;
}

const warnBeforeMs = 60_000;

export class TokenTimer {
  readonly #options: TokenTimerOptions;
  #cancels: (() => void)[] = [];

  constructor(options: TokenTimerOptions) {
    this.#options = options;
  }

  /** Replaces the time that was set before. */
  set(expireTime: Date): void {
    this.clear();
    const { clock, onExpiring, onExpired } = this.#options;
    const leftMs = Math.max(0, expireTime.getTime() - clock.now());
    this.#cancels = [clock.after(leftMs, onExpired)];
    // A token made for less than a minute would be warned about at once, to no use.
    if (leftMs > warnBeforeMs)
      this.#cancels.push(clock.after(leftMs - warnBeforeMs, () => onExpiring(expireTime)));
  }

  clear(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
  }
}
