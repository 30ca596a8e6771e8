/** Processor time: of this process for one call of a function, and of another process. That of all threads counts. */
import { readFileSync, readdirSync } from "node:fs";
import { quantile } from "./word-error.ts";
import { row } from "./row.ts";

export interface Work {
  readonly what: string;
  /** Is called with 0, 1, 2 and so on, so that no two calls need be about the same. */
  readonly call: (index: number) => unknown;
  /** Most microseconds of processor time. Absent: a figure to compare with. */
  readonly barUs?: number;
}

const warmUpCalls = 30_000;
const rounds = 11;
const callsInRound = 10_000;

/**
 * Prints the median cost of each in microseconds. They take turns, so that a busy moment meets all of them. Whether all are
 * within their bars.
 */
export async function measureInTurns(works: readonly Work[]): Promise<boolean> {
  const costs = works.map(() => [] as number[]);
  const indexes = works.map(() => 0);
  const run = async (at: number, calls: number) => {
    const { call } = works[at]!;
    const end = indexes[at]! + calls;
    for (let index = indexes[at]!; index < end; index++) {
      const result = call(index);
      if (result instanceof Promise) await result;
    }
    indexes[at] = end;
  };
  for (const at of works.keys()) await run(at, warmUpCalls);
  for (let round = 0; round < rounds; round++) {
    for (const at of works.keys()) {
      const before = process.cpuUsage();
      await run(at, callsInRound);
      const { user, system } = process.cpuUsage(before);
      costs[at]!.push((user + system) / callsInRound);
    }
  }
  let isGood = true;
  for (const [at, { what, barUs }] of works.entries()) {
    const medianUs = quantile(costs[at]!, 0.5);
    isGood &&= barUs === undefined || medianUs <= barUs;
    const spread = `${quantile(costs[at]!, 0).toFixed(1)} to ${quantile(costs[at]!, 1).toFixed(1)}`;
    row(what, `${medianUs.toFixed(1)} µs (${spread})`, ...(barUs === undefined ? [] : [`≤ ${barUs} µs`]));
  }
  return isGood;
}

/** What a process has used so far, in microseconds; finer than the ticks of 10 ms that are told elsewhere. Linux only. */
export function cpuMicrosecondsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8"))
    .reduce((total, schedstat) => total + Number(schedstat.split(" ")[0]) / 1000, 0);
}
