/**
 * The union of spans. Owns what "voiced" means when several channels speak at once. Never invents time: what no span
 * covers is not in the result.
 */
import type { Span } from "./delivery-figures.ts";

/**
 * Merges overlapping and touching spans into the fewest, ascending and apart. Spans that are empty or end before they
 * start are dropped. O(n) when they come sorted, O(n log n) otherwise.
 */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of inOrder(spans)) {
    if (!(span.endMs > span.startMs)) continue;
    const last = merged.at(-1);
    if (last !== undefined && span.startMs <= last.endMs) {
      if (span.endMs > last.endMs) merged[merged.length - 1] = { startMs: last.startMs, endMs: span.endMs };
    } else {
      merged.push({ startMs: span.startMs, endMs: span.endMs });
    }
  }
  return merged;
}

function inOrder(spans: readonly Span[]): readonly Span[] {
  const sorted = spans.every(
    (span, index) => index === 0 || (spans[index - 1]?.startMs ?? 0) <= span.startMs,
  );
  return sorted ? spans : spans.toSorted((a, b) => a.startMs - b.startMs);
}
