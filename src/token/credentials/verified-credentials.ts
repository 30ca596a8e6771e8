/**
 * Credentials that were verified a moment ago, and who they belong to. Bounded in number and in time; holds hashes, never a
 * credential. It does not know what a revocation is: whoever learns of one empties it.
 */
import { hash } from "node:crypto";
import { RecentMap } from "../../recent-map.ts";
import type { Caller } from "../caller.ts";

interface Verified {
  readonly caller: Caller;
  /** Milliseconds since the epoch; not good from here on. */
  readonly untilMs: number;
}

export class VerifiedCredentials {
  readonly #known: RecentMap<Verified>;
  #emptied = 0;

  /** `maxCount`: how many are remembered; what was not used for long makes room. */
  constructor(maxCount: number) {
    this.#known = new RecentMap(maxCount);
  }

  /** How often it was emptied: what was verified before must not be kept after. */
  get emptied(): number {
    return this.#emptied;
  }

  get(credential: string, nowMs: number): Caller | undefined {
    const found = this.#known.get(keyOf(credential));
    return found !== undefined && nowMs < found.untilMs ? found.caller : undefined;
  }

  /** `emptied`: as it was before the verification began. If it has been emptied since, nothing is kept. */
  keep(credential: string, verified: Verified, emptied: number): void {
    if (emptied !== this.#emptied) return;
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
