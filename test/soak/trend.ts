/** Whether memory grows: a straight line through the samples, and how sure one can be of its slope. Pure. */

export interface Sample {
  readonly atMs: number;
  readonly mb: number;
}

export interface Trend {
  readonly mbPerHour: number;
  /**
   * Of the slope. Samples that follow on each other are alike, as in the saw-tooth of a collector; that is allowed for.
   */
  readonly standardErrorMbPerHour: number;
}

const hourMs = 3_600_000;

/** Least squares. Needs three samples at different times. */
export function fitTrend(samples: readonly Sample[]): Trend {
  const count = samples.length;
  if (count < 3) throw new Error(`expected three samples or more, got ${count}`);
  const meanAt = mean(samples.map((sample) => sample.atMs));
  const meanMb = mean(samples.map((sample) => sample.mb));
  const spread = sum(samples.map((sample) => (sample.atMs - meanAt) ** 2));
  const slope = sum(samples.map((sample) => (sample.atMs - meanAt) * (sample.mb - meanMb))) / spread;
  const rest = samples.map((sample) => sample.mb - meanMb - slope * (sample.atMs - meanAt));
  const squares = sum(rest.map((value) => value ** 2));
  const naive = Math.sqrt(squares / (count - 2) / spread);
  // Of n samples with correlation r to the next, about n (1 − r) / (1 + r) count.
  const alike = sum(rest.slice(1).map((value, index) => value * rest[index]!)) / (squares || 1);
  const r = Math.min(Math.max(alike, 0), 0.99);
  return {
    mbPerHour: slope * hourMs,
    standardErrorMbPerHour: naive * Math.sqrt((1 + r) / (1 - r)) * hourMs,
  };
}

export interface GrowthVerdict extends Trend {
  /** The most that it may have grown over the samples, with two standard errors on top. */
  readonly atMostMb: number;
  readonly passes: boolean;
}

/**
 * Passes only when growth by `boundMb` over the time of the samples can be excluded: a slope that is too uncertain
 * fails just as one that is too steep.
 */
export function judgeGrowth(samples: readonly Sample[], boundMb: number): GrowthVerdict {
  const trend = fitTrend(samples);
  const hours = (samples.at(-1)!.atMs - samples[0]!.atMs) / hourMs;
  const atMostMb = (trend.mbPerHour + 2 * trend.standardErrorMbPerHour) * hours;
  return { ...trend, atMostMb, passes: atMostMb < boundMb };
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
