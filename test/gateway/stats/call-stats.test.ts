import { describe, expect, test } from "vitest";
import { Target } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import { CallStats } from "../../../src/gateway/stats/call-stats.ts";

function start() {
  const time = { nowMs: 1_700_000_000_500 };
  return { time, stats: new CallStats(() => time.nowMs) };
}
const created = { target: Target.LIVEKIT, outcome: "created" };

describe("tokens", () => {
  test("are counted by target and outcome, in all and over the last minute", () => {
    const { time, stats } = start();
    stats.token(created);
    stats.token({ target: Target.JITSI, outcome: "created" });
    stats.token({ target: Target.LIVEKIT, outcome: "expired" });
    time.nowMs += 30_000;
    stats.token(created);
    expect(stats.counts().tokens).toEqual([
      { ...created, total: 2, lastMinute: 2 },
      { target: Target.JITSI, outcome: "created", total: 1, lastMinute: 1 },
      { target: Target.LIVEKIT, outcome: "expired", total: 1, lastMinute: 1 },
    ]);
    time.nowMs += 29_499; // still within the 60th second
    expect(stats.counts().tokens[0]).toMatchObject({ total: 2, lastMinute: 2 });
    time.nowMs += 501;
    expect(stats.counts().tokens[0]).toMatchObject({ total: 2, lastMinute: 1 });
    time.nowMs += 30_000;
    expect(stats.counts().tokens[0]).toMatchObject({ total: 2, lastMinute: 0 });
  });

  test("of years ago are not in the last minute, and a clock that is put back loses none", () => {
    const { time, stats } = start();
    stats.token(created);
    time.nowMs += 400 * 86_400_000;
    expect(stats.counts().tokens[0]).toMatchObject({ total: 1, lastMinute: 0 });
    time.nowMs -= 86_400_000;
    stats.token(created);
    expect(stats.counts().tokens[0]).toMatchObject({ total: 2, lastMinute: 1 });
  });
});

describe("calls", () => {
  test("have an error rate, which is 0 before the first", () => {
    const { stats } = start();
    expect(stats.counts().errorRate).toBe(0);
    stats.ended("A.B", false, 1);
    stats.ended("A.B", false, 1);
    stats.ended("A.C", true, 1);
    stats.ended("A.Stream", false);
    expect(stats.counts().errorRate).toBe(0.25);
  });

  test("have quantiles by method, and streams none", () => {
    const { stats } = start();
    for (let ms = 1; ms <= 1000; ms++) stats.ended("A.B", false, ms);
    stats.ended("A.Stream", false);
    stats.ended("A.Slow", false, 9e9);
    stats.ended("A.Quick", false, 0);
    const [unary, slow, quick, ...others] = stats.counts().latencies;
    expect(others).toEqual([]);
    expect(unary).toMatchObject({ method: "A.B", count: 1000 });
    expect(Math.abs(unary!.p50Ms / 500 - 1)).toBeLessThan(0.01);
    expect(Math.abs(unary!.p95Ms / 950 - 1)).toBeLessThan(0.01);
    expect(Math.abs(unary!.p99Ms / 990 - 1)).toBeLessThan(0.01);
    expect(slow!.p50Ms).toBeGreaterThan(3_500_000);
    expect(quick!.p50Ms).toBeLessThan(0.01);
  });
});
