/** Counts calls and tokens of this process since it started, and how long calls take. Bounded: methods and outcomes are few. */
import { createHistogram } from "node:perf_hooks";
import type { RecordableHistogram } from "node:perf_hooks";
import type { Target } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import type { TokenOutcome } from "./token-outcomes.ts";

export interface TokenCount extends TokenOutcome {
  readonly total: number;
  /** Over the last 60 seconds. */
  readonly lastMinute: number;
}

export interface MethodLatency {
  /** Full name of the RPC. */
  readonly method: string;
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export interface CallCounts {
  readonly startTime: Date;
  readonly tokens: readonly TokenCount[];
  /** Calls that did not end with OK, 0 to 1; 0 before the first. */
  readonly errorRate: number;
  readonly latencies: readonly MethodLatency[];
}

/** An hour; what takes longer counts as so long. */
const longestUs = 3_600_000_000;

export class CallStats {
  readonly #now: () => number;
  readonly #startTime: Date;
  readonly #latencies = new Map<string, RecordableHistogram>();
  readonly #tokens = new Map<string, CountedOutcome>();
  #calls = 0;
  #failed = 0;

  /** `now`: milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
    this.#startTime = new Date(now());
  }

  /** A call has ended. Of one that streams no duration is counted: it says how long somebody spoke. */
  ended(method: string, failed: boolean, durationMs?: number): void {
    this.#calls += 1;
    if (failed) this.#failed += 1;
    if (durationMs === undefined) return;
    let histogram = this.#latencies.get(method);
    if (!histogram) {
      histogram = createHistogram({ lowest: 1, highest: longestUs, figures: 3 });
      this.#latencies.set(method, histogram);
    }
    histogram.record(Math.min(Math.max(1, Math.round(durationMs * 1000)), longestUs));
  }

  token({ target, outcome }: TokenOutcome): void {
    const key = `${target} ${outcome}`;
    let counted = this.#tokens.get(key);
    if (!counted) this.#tokens.set(key, (counted = new CountedOutcome(target, outcome)));
    counted.add(this.#now());
  }

  counts(): CallCounts {
    const nowMs = this.#now();
    return {
      startTime: this.#startTime,
      tokens: [...this.#tokens.values()].map((counted) => counted.read(nowMs)),
      errorRate: this.#calls === 0 ? 0 : this.#failed / this.#calls,
      latencies: [...this.#latencies].map(([method, histogram]) => ({
        method,
        count: histogram.count,
        p50Ms: histogram.percentile(50) / 1000,
        p95Ms: histogram.percentile(95) / 1000,
        p99Ms: histogram.percentile(99) / 1000,
      })),
    };
  }
}

const seconds = 60;

/** A total, and a count for each of the last 60 seconds. */
class CountedOutcome {
  readonly target: Target;
  readonly outcome: string;
  readonly #bySecond = new Uint32Array(seconds);
  #newestSecond = 0;
  #total = 0;

  constructor(target: Target, outcome: string) {
    this.target = target;
    this.outcome = outcome;
  }

  add(nowMs: number): void {
    const second = this.#moveTo(nowMs);
    this.#bySecond[second % seconds] = (this.#bySecond[second % seconds] ?? 0) + 1;
    this.#total += 1;
  }

  read(nowMs: number): TokenCount {
    this.#moveTo(nowMs);
    const lastMinute = this.#bySecond.reduce((sum, count) => sum + count, 0);
    return { target: this.target, outcome: this.outcome, total: this.#total, lastMinute };
  }

  /** Empties the seconds that have come since; a clock that was put back counts in the newest second. */
  #moveTo(nowMs: number): number {
    const second = Math.max(Math.floor(nowMs / 1000), this.#newestSecond);
    const passed = Math.min(second - this.#newestSecond, seconds);
    for (let step = 1; step <= passed; step++) this.#bySecond[(this.#newestSecond + step) % seconds] = 0;
    this.#newestSecond = second;
    return second;
  }
}
