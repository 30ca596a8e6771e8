/** Which of a family of processes are still there after its head was killed. Linux only: reads /proc. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { processTree } from "../e2e/server-process.ts";

/** A process by its number and its start, since numbers are used again. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: string;
}

/** A process and all that descend from it. */
export function familyOf(pid: number): ProcessIdentity[] {
  return processTree(pid).flatMap((member) => {
    const startTicks = startOf(member);
    return startTicks === undefined ? [] : [{ pid: member, startTicks }];
  });
}

export function isAlive({ pid, startTicks }: ProcessIdentity): boolean {
  return startOf(pid) === startTicks;
}

/** Waits until all have ended, at most so long; resolves with those that have not. */
export async function survivors(family: readonly ProcessIdentity[], withinMs: number): Promise<number[]> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const left = family.filter(isAlive);
    if (left.length === 0 || performance.now() > giveUpAt) return left.map(({ pid }) => pid);
    await sleep(20);
  }
}

/** In clock ticks since the machine's start. Undefined when there is no such process, or only its entry is left. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
