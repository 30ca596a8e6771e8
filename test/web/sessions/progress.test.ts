/** A user's figures as the page tells them: which are drawn, what has changed, and the same as rows. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { ProgressSeriesSchema } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { chooseSeries } from "../../../src/web/sessions/choose-series.ts";
import { describeChange } from "../../../src/web/sessions/describe-change.ts";
import { titleOf } from "../../../src/web/sessions/title-of.ts";
import { toRows } from "../../../src/web/sessions/to-rows.ts";

const series = (figure: string, values: readonly (number | undefined)[]) =>
  create(ProgressSeriesSchema, {
    figure,
    points: values.flatMap((value, index) =>
      value === undefined
        ? []
        : [{ sessionId: `s${index}`, sessionTime: timestampFromMs(index * 1000), value }],
    ),
  });

test("a series of one point is not drawn", () => {
  const [one, two] = [series("average_pace", [120]), series("fillers_per_minute", [1, 2])];
  expect(chooseSeries([one, two])).toEqual([two]);
});

test.each([
  [[120], "120", ""],
  [[120, 130], "130", "+10 against the one before"],
  [[100, 110, 120, 100], "100", "−10 against the 3 before"],
  [[500, 1, 1, 1, 1, 1, 2], "2", "+1 against the 5 before"],
  [[4, 4.001], "4", "the same as the one before"],
  [[], "", ""],
])("%j is told as %s, %s", (values, latest, change) => {
  expect(describeChange(series("a", values))).toEqual({ latest, change });
});

test("rows are sessions, the newest first, with a gap where a session lacks a figure", () => {
  const rows = toRows([series("a", [1, 2, 3]), series("b", [undefined, 5])]);
  expect(rows.map(({ sessionId, values }) => [sessionId, ...values])).toEqual([
    ["s2", 3, undefined],
    ["s1", 2, 5],
    ["s0", 1, undefined],
  ]);
});

test("a figure that the page does not know has the server's name", () => {
  expect(titleOf("average_pace")).toBe("Pace");
  expect(titleOf("breaths_per_minute")).toBe("Breaths per minute");
});
