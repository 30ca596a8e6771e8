/** The token that streams are opened with: asked for when there is none that is good. Never logs or shows it. */

import type { Clock } from "./clock.ts";

/** The app's token() threw, or gave none; it is called again. */
export class TokenUnavailable extends Error {
  override readonly name = "TokenUnavailable";

  constructor(cause: unknown) {
    super("token() gave no token", { cause });
  }
}

export class TokenSource {
  readonly #given: string | (() => string | Promise<string>);
  readonly #clock: Clock;
  #token: string | undefined;
  #fetchedAtMs: number;

  constructor(given: string | (() => string | Promise<string>), clock: Clock) {
    this.#given = given;
    this.#clock = clock;
    this.#fetchedAtMs = clock.now();
    if (typeof given === "string") this.#token = given;
  }

  get canRenew(): boolean {
    return typeof this.#given === "function";
  }

  /** Since the last one was fetched. */
  get ageMs(): number {
    return this.#clock.now() - this.#fetchedAtMs;
  }

  /** The last one that nobody refused, or a fresh one. Rejects with TokenUnavailable. */
  async get(): Promise<string> {
    return this.#token ?? this.renew();
  }

  /** A fresh one. Rejects with TokenUnavailable, and the last one stays. */
  async renew(): Promise<string> {
    if (typeof this.#given === "string") return this.#given;
    try {
      const token = await this.#given();
      if (typeof token !== "string" || token === "")
        throw new TypeError("expected a string that is not empty");
      this.#token = token;
      this.#fetchedAtMs = this.#clock.now();
      return token;
    } catch (error) {
      throw new TokenUnavailable(error);
    }
  }

  /** The last one is refused, or expired. */
  discard(): void {
    if (this.canRenew) this.#token = undefined;
  }
}
