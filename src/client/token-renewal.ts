/** Brings fresh tokens into a stream before the old one expires. A token() that fails is asked again, and harms nothing. */
import type { Clock } from "./clock.ts";
import type { TokenSource } from "./token-source.ts";

export interface TokenRenewalOptions {
  readonly clock: Clock;
  readonly source: TokenSource;
  /** To be sent as Reauthenticate. */
  readonly onToken: (token: string) => void;
}

const beforeExpiryMs = 60_000;
const retryAfterMs = 5_000;

export class TokenRenewal {
  readonly #options: TokenRenewalOptions;
  #lifetimeMs = 0;
  #cancel: (() => void) | undefined;
  #asking: Promise<void> | undefined;
  readonly #stopped = new AbortController();

  constructor(options: TokenRenewalOptions) {
    this.#options = options;
  }

  /** The token in use is good for so long: a minute before, or at 80 % of what is left, a fresh one is fetched. */
  expectExpiry(leftMs: number): void {
    const { source } = this.#options;
    if (!source.canRenew || leftMs <= 0) return;
    this.#lifetimeMs = leftMs + source.ageMs;
    this.#schedule(Math.max(leftMs * 0.8, leftMs - beforeExpiryMs));
  }

  /** Fetches now. Never rejects. */
  renew(): Promise<void> {
    this.#asking ??= this.#renew().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  stop(): void {
    this.#stopped.abort();
    this.#cancel?.();
  }

  async #renew(): Promise<void> {
    const { source, onToken } = this.#options;
    if (!source.canRenew) return;
    try {
      const token = await source.renew();
      if (this.#stopped.signal.aborted) return;
      onToken(token);
      // The server does not say when a token expires that came in mid-stream: the next is taken to live as long.
      this.expectExpiry(this.#lifetimeMs);
    } catch {
      // Until the old token expires nothing is lost; then the stream ends with UNAUTHENTICATED, and is resumed.
      if (!this.#stopped.signal.aborted) this.#schedule(retryAfterMs);
    }
  }

  #schedule(afterMs: number): void {
    this.#cancel?.();
    this.#cancel = this.#options.clock.after(afterMs, () => void this.renew());
  }
}
