/**
 * Credentials that were verified a moment ago, and who they belong to. Bounded in number and in time; holds hashes, never a
 * credential. It does not know what a revocation is: whoever learns of one empties it.
 */
import { hash } from "node:crypto";
import type { Caller } from "../caller.ts";

interface Verified {
  readonly caller: Caller;
  /** Milliseconds since the epoch; not good from here on. */
  readonly untilMs: number;
}

export class VerifiedCredentials {
  readonly #maxCount: number;
  /** The least recently used first. */
  readonly #known = new Map<string, Verified>();
  #emptied = 0;

  /** `maxCount`: how many are remembered; the least recently used makes room. */
  constructor(maxCount: number) {
    this.#maxCount = maxCount;
  }

  /** How often it was emptied: what was verified before must not be kept after. */
  get emptied(): number {
    return this.#emptied;
  }

  get(credential: string, nowMs: number): Caller | undefined {
    const key = keyOf(credential);
    const found = this.#known.get(key);
    if (!found) return undefined;
    this.#known.delete(key);
    if (found.untilMs <= nowMs) return undefined;
    this.#known.set(key, found);
    return found.caller;
  }

  /** `emptied`: as it was before the verification began. If it has been emptied since, nothing is kept. */
  keep(credential: string, verified: Verified, emptied: number): void {
    if (emptied !== this.#emptied) return;
    if (this.#known.size >= this.#maxCount) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(keyOf(credential), verified);
  }

  empty(): void {
    this.#emptied += 1;
    this.#known.clear();
  }
}

function keyOf(credential: string): string {
  return hash("sha256", credential, "base64");
}
