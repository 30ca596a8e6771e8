/** Which rows of a long list stand in its window, and where. Pure. */

export interface RowLayout {
  /** First and last row to draw; `last` is before `first` when there are none. */
  readonly first: number;
  readonly last: number;
  /** Top of each row, and of what would come after the last: one more than there are rows. */
  readonly tops: Float64Array;
}

/** Heights, tops and the window in CSS pixels; so much more than the window is drawn above and below it. */
export function layOutRows(
  heights: readonly number[],
  window: { readonly top: number; readonly height: number; readonly margin: number },
): RowLayout {
  const tops = new Float64Array(heights.length + 1);
  for (const [index, height] of heights.entries()) tops[index + 1] = (tops[index] ?? 0) + height;
  const from = window.top - window.margin;
  const to = window.top + window.height + window.margin;
  let first = 0;
  while (first < heights.length && (tops[first + 1] ?? 0) <= from) first += 1;
  let last = first - 1;
  while (last + 1 < heights.length && (tops[last + 1] ?? 0) < to) last += 1;
  return { first, last, tops };
}
