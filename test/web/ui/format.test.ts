/** Times and numbers as they are shown and spoken. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { formatDuration, formatNumber, formatTime, speakDuration } from "../../../src/web/ui/format.ts";

test.each([
  [0, "0:00", "0 seconds"],
  [1_400, "0:01", "1 second"],
  [65_000, "1:05", "1 minute 5 seconds"],
  [59_999, "1:00", "1 minute"],
  [3_600_000, "1:00:00", "1 hour"],
  [7_265_000, "2:01:05", "2 hours 1 minute 5 seconds"],
  [-5, "0:00", "0 seconds"],
])("%i ms is %s, spoken %s", (ms, shown, spoken) => {
  expect(formatDuration(ms)).toBe(shown);
  expect(speakDuration(ms)).toBe(spoken);
});

test("the year is told when it is another one", () => {
  const time = timestampFromDate(new Date(2025, 2, 3, 14, 5));
  expect(formatTime(time, new Date(2026, 0, 1))).toContain("2025");
  expect(formatTime(time, new Date(2025, 11, 1))).not.toContain("2025");
  expect(formatTime(undefined)).toBe("");
});

test.each([
  [142.4, "142"],
  [4.24, "4.2"],
  [0.351, "0.35"],
  [-0.5, "-0.5"],
])("%d is %s", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});
