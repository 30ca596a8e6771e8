/**
 * Voiced spans and the pauses between them, by hand and by properties. Never looks at words.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { findPauses } from "../../src/delivery/find-pauses.ts";
import type { Span } from "../../src/delivery/measure-delivery.ts";
import { mergeSpans } from "../../src/delivery/merge-spans.ts";

/** Spans of whole milliseconds in any order, overlapping, touching and apart. */
const spans = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 1, max: 5_000 }))
    .map(([startMs, lengthMs]): Span => ({ startMs, endMs: startMs + lengthMs })),
  { maxLength: 40 },
);

test("spans of several channels become one, whatever their order", () => {
  const channelOne = [span(1000, 2000), span(5000, 6000)];
  const channelTwo = [
    span(1500, 2500),
    span(2500, 3000),
    span(5200, 5400),
    span(4000, 4000),
    span(9000, 8000),
  ];
  expect(mergeSpans([...channelTwo, ...channelOne])).toEqual([span(1000, 3000), span(5000, 6000)]);
});

test("a pause lasts 300 ms or more, a long one 2000 ms or more", () => {
  const voiced = [span(1000, 2000), span(2299, 3000), span(3300, 4000), span(5999, 6000), span(8000, 9000)];
  expect(findPauses(voiced)).toEqual({
    count: 3,
    longCount: 1,
    totalMs: 300 + 1999 + 2000,
    longestMs: 2000,
    spans: [
      { startMs: 3000, endMs: 3300, kind: "short" },
      { startMs: 4000, endMs: 5999, kind: "short" },
      { startMs: 6000, endMs: 8000, kind: "long" },
    ],
  });
});

test("silence before the first voice and after the last is no pause", () => {
  expect(findPauses([span(10_000, 11_000)]).count).toBe(0);
  expect(findPauses([])).toEqual({ count: 0, longCount: 0, totalMs: 0, longestMs: 0, spans: [] });
});

test("voice, pauses and shorter gaps tile the time from first to last voice", () => {
  fc.assert(
    fc.property(spans, (input) => {
      const voiced = mergeSpans(input);
      const pauses = findPauses(voiced);
      const gaps = voiced.slice(1).map((next, index) => span(voiced[index]!.endMs, next.startMs));
      const short = gaps.filter((gap) => lengthOf(gap) < 300);
      const tiles = [...voiced, ...pauses.spans, ...short].sort((a, b) => a.startMs - b.startMs);
      tiles.slice(1).forEach((tile, index) => {
        expect(tile.startMs).toBe(tiles[index]!.endMs);
      });
      expect(pauses.totalMs).toBe(pauses.spans.reduce((sum, pause) => sum + lengthOf(pause), 0));
      expect(pauses.longestMs).toBe(Math.max(0, ...pauses.spans.map(lengthOf)));
    }),
  );
});

test("merged spans cover exactly what the spans cover", () => {
  const covers = (list: readonly Span[], atMs: number) =>
    list.some((s) => s.startMs <= atMs && atMs < s.endMs);
  fc.assert(
    fc.property(spans, fc.integer({ min: 0, max: 65_000 }), (input, atMs) => {
      const merged = mergeSpans(input);
      expect(covers(merged, atMs)).toBe(covers(input, atMs));
      merged.slice(1).forEach((next, index) => expect(next.startMs).toBeGreaterThan(merged[index]!.endMs));
    }),
  );
});

test("splitting voiced spans at a point changes nothing", () => {
  fc.assert(
    fc.property(spans, fc.integer({ min: 0, max: 65_000 }), (input, atMs) => {
      const split = input.flatMap((s) =>
        s.startMs < atMs && atMs < s.endMs ? [span(atMs, s.endMs), span(s.startMs, atMs)] : [s],
      );
      expect(findPauses(mergeSpans(split))).toEqual(findPauses(mergeSpans(input)));
    }),
  );
});

function span(startMs: number, endMs: number): Span {
  return { startMs, endMs };
}

function lengthOf(s: Span): number {
  return s.endMs - s.startMs;
}
