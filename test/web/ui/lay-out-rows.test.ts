/** Which rows a long list draws. */
import { expect, test } from "vitest";
import { layOutRows } from "../../../src/web/ui/lay-out-rows.ts";

const window = (top: number, margin = 0) => ({ top, height: 100, margin });

test("only rows that touch the window are drawn", () => {
  const heights = Array.from({ length: 1_000 }, () => 40);
  expect(layOutRows(heights, window(0))).toMatchObject({ first: 0, last: 2 });
  expect(layOutRows(heights, window(80))).toMatchObject({ first: 2, last: 4 });
  expect(layOutRows(heights, window(81))).toMatchObject({ first: 2, last: 4 });
  expect(layOutRows(heights, window(4_000, 80))).toMatchObject({ first: 98, last: 104 });
});

test("rows stand below each other, whatever their heights", () => {
  const { tops, first, last } = layOutRows([10, 200, 30], window(60));
  expect([...tops]).toEqual([0, 10, 210, 240]);
  expect([first, last]).toEqual([1, 1]);
});

test("beyond either end, and of no rows, what there is is drawn", () => {
  expect(layOutRows([], window(0))).toMatchObject({ first: 0, last: -1 });
  expect(layOutRows([50, 50], window(-500))).toMatchObject({ first: 0, last: -1 });
  expect(layOutRows([50, 50], window(99))).toMatchObject({ first: 1, last: 1 });
});
