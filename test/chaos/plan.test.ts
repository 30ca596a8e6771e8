import { expect, test } from "vitest";
import { planKills, planNetworkFaults } from "./plan.ts";

test("the same seed gives the same plan, another seed another", () => {
  expect(planKills(7, 50)).toEqual(planKills(7, 50));
  expect(planKills(8, 50)).not.toEqual(planKills(7, 50));
  expect(planNetworkFaults(7, 20, 4)).toEqual(planNetworkFaults(7, 20, 4));
  expect(planNetworkFaults(8, 20, 4)).not.toEqual(planNetworkFaults(7, 20, 4));
});

test("six kills try every moment, and five network faults every kind", () => {
  expect(new Set(planKills(1, 6).map((kill) => kill.moment)).size).toBe(6);
  expect(new Set(planNetworkFaults(1, 5, 4).map((fault) => fault.kind)).size).toBe(5);
});

test("about two in a hundred connections are reset in each second of loss", () => {
  const resets = planNetworkFaults(3, 2_000, 4)
    .flatMap((fault) => fault.resets)
    .flat();
  const share = resets.filter(Boolean).length / resets.length;
  expect(share).toBeGreaterThan(0.017);
  expect(share).toBeLessThan(0.023);
});
