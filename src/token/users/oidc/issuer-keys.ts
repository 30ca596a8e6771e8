/**
 * The keys of one issuer: fetched when the first token comes, kept, and fetched again in the background when they are old.
 * While the issuer does not answer, or answers what cannot be trusted, the last good ones go on, for a day at most.
 *
 * However many tokens come with keys that are not among them, the issuer is asked once in a while and by one at a time.
 */
import type { Clock } from "../../../clock.ts";
import type { VerificationKey } from "../../jwt/jwt-key.ts";
import { IssuerError } from "./issuer-error.ts";
import { KeyAddress } from "./key-address.ts";
import { loadKeys } from "./load-keys.ts";
import type { OidcIssuer } from "./load-keys.ts";
import { ProblemReport } from "./problem-report.ts";

export interface IssuerKeysOptions {
  readonly issuer: OidcIssuer;
  readonly clock: Clock;
  /** Something an operator should see; once for a row of like failures. */
  readonly onProblem: (problem: string, error: unknown) => void;
}

export interface IssuerHealth {
  readonly issuer: string;
  /** How many keys tokens are verified with now; 0 before the first token. */
  readonly keyCount: number;
  /** When they were fetched. Absent: there are none. */
  readonly fetchTime?: Date;
  /** What is wrong, without any address. Absent: nothing, as far as is known. */
  readonly problem?: string;
}

/** Milliseconds. */
export const keyTimes = {
  /** From here on keys are fetched again, in the background. */
  refresh: 600_000,
  /** So long after the last fetch a caller waits for the next: so long, at most, a key is good that was withdrawn. */
  quiet: 1_200_000,
  /** From the end of one fetch to the next, whatever came of it: so long a key is refused that was made in between. */
  cooldown: 30_000,
  /** The same while there are no keys at all, and nobody can log in. */
  retry: 5_000,
  /** How long the last good keys go on. */
  maxAge: 86_400_000,
} as const;

export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  readonly #address: KeyAddress;
  readonly #addressReport: ProblemReport;
  readonly #report: ProblemReport;
  readonly #closing = new AbortController();
  #last: { readonly keys: readonly VerificationKey[]; readonly timeMs: number } | undefined;
  /** When the last fetch ended. */
  #triedAtMs: number | undefined;
  /** Whether keys came. Never rejects. */
  #fetching: Promise<boolean> | undefined;

  constructor(options: IssuerKeysOptions) {
    const { issuer, clock, onProblem } = options;
    this.#options = options;
    this.#report = new ProblemReport(onProblem);
    this.#addressReport = new ProblemReport(onProblem);
    this.#address = new KeyAddress({
      issuer,
      clock,
      refreshMs: keyTimes.refresh,
      report: this.#addressReport,
    });
  }

  /**
   * Waits for the issuer when there are none, or when it has not been asked for long. Rejects with IssuerError when they
   * cannot be had.
   */
  async get(): Promise<readonly VerificationKey[]> {
    const kept = this.#kept();
    const isQuiet = this.#triedAtMs === undefined || this.#since(this.#triedAtMs) >= keyTimes.quiet;
    if (kept && this.#since(kept.timeMs) < keyTimes.refresh) return kept.keys;
    const fetching = this.#fetch();
    if (!kept || isQuiet) await fetching;
    const last = this.#kept() ?? kept;
    if (!last) throw new IssuerError(this.#report.problem ?? "its keys cannot be had");
    return last.keys;
  }

  /** For a token whose key is not among them. Undefined when the issuer was asked a moment ago, or does not answer. */
  async renew(): Promise<readonly VerificationKey[] | undefined> {
    return (await this.#fetch()) ? this.#kept()?.keys : undefined;
  }

  health(): IssuerHealth {
    const kept = this.#kept();
    const problem = this.#report.problem ?? this.#addressReport.problem;
    return {
      issuer: this.#options.issuer.issuer,
      keyCount: kept?.keys.length ?? 0,
      ...(kept && { fetchTime: new Date(kept.timeMs) }),
      ...(problem !== undefined && { problem }),
    };
  }

  /** Gives up the fetch under way; there is none after it. */
  close(): void {
    this.#closing.abort();
  }

  #kept() {
    return this.#last && this.#since(this.#last.timeMs) < keyTimes.maxAge ? this.#last : undefined;
  }

  /** Joins the one under way. False when it is too early for another. */
  #fetch(): Promise<boolean> {
    if (this.#fetching) return this.#fetching;
    const pauseMs = this.#kept() ? keyTimes.cooldown : keyTimes.retry;
    const isEarly = this.#triedAtMs !== undefined && this.#since(this.#triedAtMs) < pauseMs;
    if (isEarly) return Promise.resolve(false);
    this.#fetching = this.#tryFetch().finally(() => {
      this.#triedAtMs = this.#options.clock.now();
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #tryFetch(): Promise<boolean> {
    const { clock } = this.#options;
    const fetchOptions = { clock, signal: this.#closing.signal };
    try {
      const { keys } = await loadKeys(await this.#address.find(fetchOptions), fetchOptions);
      this.#last = { keys, timeMs: clock.now() };
      // It is what the issuer says, and all its tokens are refused; an operator wants to know.
      if (keys.length === 0) this.#report.failed(new IssuerError("its key set has no key that can be used"));
      else this.#report.worked();
      return true;
    } catch (error) {
      this.#address.doubt();
      if (!this.#closing.signal.aborted)
        this.#report.failed(
          error instanceof IssuerError ? error : new IssuerError("its keys cannot be had", error),
        );
      return false;
    }
  }

  /** A clock that was set back is no reason to wait for it. */
  #since(timeMs: number): number {
    return Math.abs(this.#options.clock.now() - timeMs);
  }
}
