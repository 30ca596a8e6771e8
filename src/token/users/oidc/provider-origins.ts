/**
 * Which origins a page asks that signs people in at an issuer: the issuer's own, and those of the endpoints that its discovery
 * document names, which some issuers have elsewhere. Fetched at once and, when old, in the background; nobody waits for it.
 */
import type { Clock } from "../../../clock.ts";
import { fetchJson } from "./fetch-json.ts";
import { keyTimes } from "./issuer-keys.ts";
import { ProblemReport } from "./problem-report.ts";
import { discoveryName, discoveryUrl, readEndpointOrigins } from "./read-discovery.ts";

export interface ProviderOriginsOptions {
  /** As its tokens name it in `iss`. */
  readonly issuer: string;
  readonly clock: Clock;
  /** Something an operator should see; once for a row of like failures. */
  readonly onProblem: (problem: string, error: unknown) => void;
}

export class ProviderOrigins {
  readonly #options: ProviderOriginsOptions;
  readonly #report: ProblemReport;
  readonly #closing = new AbortController();
  #known: readonly string[];
  #isFetching = false;
  #askAgainAtMs = 0;

  constructor(options: ProviderOriginsOptions) {
    this.#options = options;
    this.#report = new ProblemReport(options.onProblem);
    this.#known = [new URL(options.issuer).origin];
    this.get();
  }

  /** As far as they are known; until the issuer has answered for the first time, its own. */
  get(): readonly string[] {
    const isDue = this.#options.clock.now() >= this.#askAgainAtMs;
    if (isDue && !this.#isFetching && !this.#closing.signal.aborted) void this.#fetch();
    return this.#known;
  }

  /** Gives up the fetch under way; there is none after it. */
  close(): void {
    this.#closing.abort();
  }

  /** Never rejects: what was known goes on. */
  async #fetch(): Promise<void> {
    const { issuer, clock } = this.#options;
    this.#isFetching = true;
    let waitMs: number = keyTimes.refresh;
    try {
      const options = { clock, signal: this.#closing.signal };
      const { json } = await fetchJson(discoveryUrl(issuer), discoveryName, options);
      this.#known = [...new Set([new URL(issuer).origin, ...readEndpointOrigins(json, issuer)])];
      this.#report.worked();
    } catch (error) {
      waitMs = keyTimes.retry;
      if (!this.#closing.signal.aborted && error instanceof Error) this.#report.failed(error);
    } finally {
      this.#askAgainAtMs = clock.now() + waitMs;
      this.#isFetching = false;
    }
  }
}
