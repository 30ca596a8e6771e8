/** Removes audit events that are too old: at start and every hour, a bounded number at a time. */
import type { Clock } from "../../clock.ts";
import type { AuditStore, PruneRequest } from "./audit-store.ts";
import { linkEvent } from "./link-events.ts";
import { pruneEntry } from "./prune-event.ts";
import { toRecord } from "./to-record.ts";

export interface RetentionOptions {
  readonly store: Pick<AuditStore, "prune">;
  readonly clock: Clock;
  readonly retentionDays: number;
  /** Something an operator should see. */
  readonly onProblem: (message: string, error: unknown) => void;
}

const dayMs = 86_400_000;
const everyMs = 3_600_000;
/** Nothing else can be written to the log meanwhile; with PGlite, nothing else at all: some 100 ms. */
const maxAtOnce = 1_000;

export class Retention {
  readonly #options: RetentionOptions;
  #cancelTimer: (() => void) | undefined;
  #pruning: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#pruning = this.#prune();
  }

  /** Resolves when nothing is being removed any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTimer?.();
    await this.#pruning;
  }

  /** Never rejects: what fails is tried again an hour later. */
  async #prune(): Promise<void> {
    const { store, clock, onProblem } = this.#options;
    try {
      let removed = maxAtOnce;
      while (removed === maxAtOnce && !this.#isStopped) removed = await store.prune(this.#request());
    } catch (error) {
      onProblem("audit events that are too old cannot be removed; trying again in an hour", error);
    }
    if (!this.#isStopped)
      this.#cancelTimer = clock.after(everyMs, () => void (this.#pruning = this.#prune()));
  }

  #request(): PruneRequest {
    const nowMs = this.#options.clock.now();
    return {
      before: new Date(nowMs - this.#options.retentionDays * dayMs),
      limit: maxAtOnce,
      seal: (head, pruned) => linkEvent(head, toRecord(pruneEntry(pruned), nowMs)),
    };
  }
}
