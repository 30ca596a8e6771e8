/** Where an issuer's keys are, by its discovery document: remembered, asked again now and then, and kept while nobody answers. */
import type { Clock } from "../../../clock.ts";
import type { FetchJsonOptions } from "./fetch-json.ts";
import { findJwksUrl } from "./load-keys.ts";
import type { OidcIssuer } from "./load-keys.ts";
import type { ProblemReport } from "./problem-report.ts";

export interface KeyAddressOptions {
  readonly issuer: OidcIssuer;
  readonly clock: Clock;
  /** How long an answer is taken for true, in milliseconds. */
  readonly refreshMs: number;
  /** Is told when the last good answer has to do. */
  readonly report: ProblemReport;
}

export class KeyAddress {
  readonly #options: KeyAddressOptions;
  #last: { readonly url: string; readonly timeMs: number } | undefined;
  #isDoubtful = false;

  constructor(options: KeyAddressOptions) {
    this.#options = options;
  }

  /** Rejects with IssuerError when it was never known. */
  async find(fetchOptions: FetchJsonOptions): Promise<string> {
    const { issuer, clock, refreshMs, report } = this.#options;
    const last = this.#last;
    if (last && !this.#isDoubtful && Math.abs(clock.now() - last.timeMs) < refreshMs) return last.url;
    try {
      const url = await findJwksUrl(issuer, fetchOptions);
      this.#last = { url, timeMs: clock.now() };
      this.#isDoubtful = false;
      report.worked();
      return url;
    } catch (error) {
      if (!last || !(error instanceof Error)) throw error;
      report.failed(error);
      return last.url;
    }
  }

  /** The keys were not there: they may have moved. */
  doubt(): void {
    this.#isDoubtful = true;
  }
}
