import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CallRates } from "../../../src/gateway/rate-limits/call-rates.ts";

function start() {
  const time = { nowMs: 1_700_000_000_000 };
  return { time, rates: new CallRates(() => time.nowMs) };
}

describe("calls of one key", () => {
  test("may come all at once, as many as a minute has, and then at its pace", () => {
    const { time, rates } = start();
    for (let call = 0; call < 60; call++) expect(rates.take("ada", 60)).toBeUndefined();
    expect(rates.take("ada", 60)).toBe(1000);
    time.nowMs += 999;
    expect(rates.take("ada", 60)).toBe(1);
    time.nowMs += 1;
    expect(rates.take("ada", 60)).toBeUndefined();
    expect(rates.take("ada", 60)).toBe(1000);
  });

  test("are counted apart from those of another", () => {
    const { rates } = start();
    expect(rates.take("ada", 1)).toBeUndefined();
    expect(rates.take("ada", 1)).toBe(60_000);
    expect(rates.take("bob", 1)).toBeUndefined();
  });

  test("do not count while they are refused", () => {
    const { time, rates } = start();
    rates.take("ada", 1);
    for (let call = 0; call < 100; call++) rates.take("ada", 1);
    time.nowMs += 60_000;
    expect(rates.take("ada", 1)).toBeUndefined();
  });

  test("are not told to wait for longer than a minute when the clock is put back", () => {
    const { time, rates } = start();
    rates.take("ada", 1);
    time.nowMs -= 3_600_000;
    expect(rates.take("ada", 1)).toBe(60_000);
  });

  test("are never more than the rate and one minute's burst, over any time", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 300 }),
        (perMinute, waits) => {
          const { time, rates } = start();
          const beganMs = time.nowMs;
          let admitted = 0;
          for (const waitMs of waits) {
            time.nowMs += waitMs;
            if (rates.take("ada", perMinute) === undefined) admitted += 1;
          }
          const minutes = (time.nowMs - beganMs) / 60_000;
          expect(admitted).toBeLessThanOrEqual(perMinute * (1 + minutes) + 1e-6);
        },
      ),
    );
  });

  test("are admitted after the time that a refusal names, and not before", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 0, max: 100 }),
        (perMinute, pauseMs) => {
          const { time, rates } = start();
          for (let call = 0; call < perMinute; call++) rates.take("ada", perMinute);
          time.nowMs += pauseMs;
          const waitMs = rates.waitOf("ada", perMinute);
          if (waitMs === undefined) return;
          time.nowMs += waitMs - 1;
          expect(rates.waitOf("ada", perMinute)).toBe(1);
          time.nowMs += 1;
          expect(rates.take("ada", perMinute)).toBeUndefined();
        },
      ),
    );
  });
});

test("what counts for nothing any more is forgotten, and a flood of keys stays bounded", () => {
  const { time, rates } = start();
  for (let key = 0; key < 1000; key++) rates.take(`key ${key}`, 60);
  expect(rates.size).toBe(1000);
  time.nowMs += 60_000;
  rates.take("another", 60);
  expect(rates.size).toBe(1);
  for (let key = 0; key < 250_000; key++) rates.take(`flood ${key}`, 1);
  expect(rates.size).toBeLessThanOrEqual(200_000);
});
