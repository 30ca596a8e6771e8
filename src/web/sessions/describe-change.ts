/** What a series comes to in words: its last value, and how that stands to the ones before it. */
import type { ProgressSeries } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { formatNumber } from "../ui/format.ts";

export interface DescribedChange {
  readonly latest: string;
  /** `+4 against the 3 before`; empty where nothing can be compared. */
  readonly change: string;
}

/** So many sessions before the last are what it is held against. */
const comparedCount = 5;

export function describeChange({ points }: Pick<ProgressSeries, "points">): DescribedChange {
  const values = points.map(({ value }) => value);
  const last = values.at(-1);
  if (last === undefined) return { latest: "", change: "" };
  const before = values.slice(-1 - comparedCount, -1);
  if (before.length === 0) return { latest: formatNumber(last), change: "" };
  const difference = last - before.reduce((sum, value) => sum + value, 0) / before.length;
  const against = before.length === 1 ? "the one before" : `the ${before.length} before`;
  const size = formatNumber(Math.abs(difference));
  const isSame = size === formatNumber(0);
  return {
    latest: formatNumber(last),
    change: isSame ? `the same as ${against}` : `${difference > 0 ? "+" : "−"}${size} against ${against}`,
  };
}
