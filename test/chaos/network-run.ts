/**
 * One run of network faults: speakers speak through a proxy each, which cuts, stalls, delays and narrows as planned.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { NetworkFault } from "./plan.ts";
import type { Direction, ToxicProxy } from "./toxiproxy.ts";
import type { Stage } from "./stage.ts";

/** Until when a client must have given a half-open connection up. */
export const noticeWithinMs = 10_000;

const both: readonly Direction[] = ["upstream", "downstream"];
const resetMs = 300;

export interface NetworkFigures {
  faults: number;
  resets: number;
  /** For each half-open connection, after what time its client closed it; Infinity: not while it was so. */
  readonly noticedMs: number[];
}

export interface NetworkRun {
  readonly proxies: readonly ToxicProxy[];
  readonly stage: Stage;
  readonly onFault: (done: number, fault: NetworkFault) => void;
}

export async function carryOutNetworkFaults(
  plan: readonly NetworkFault[],
  run: NetworkRun,
): Promise<NetworkFigures> {
  const figures: NetworkFigures = { faults: 0, resets: 0, noticedMs: [] };
  for (const fault of plan) {
    await sleep(fault.notBeforeMs);
    await carryOut(fault, run, figures);
    figures.faults += 1;
    run.onFault(figures.faults, fault);
    await run.stage.takeSnapshots();
  }
  return figures;
}

async function carryOut(fault: NetworkFault, run: NetworkRun, figures: NetworkFigures): Promise<void> {
  const { proxies, stage } = run;
  switch (fault.kind) {
    case "cut":
      figures.resets += proxies.length;
      return during(fault.durationMs, proxies, (proxy) =>
        proxy.add({ type: "reset_peer", timeout: 0 }, both),
      );
    case "half-open": {
      const open = stage.openStreams();
      const sinceMs = performance.now();
      await during(
        fault.durationMs,
        proxies,
        (proxy) => proxy.add({ type: "timeout", timeout: 0 }, both),
        () => {
          for (const stream of open) figures.noticedMs.push((stream.closedAtMs() ?? Infinity) - sinceMs);
        },
      );
      return;
    }
    case "loss":
      for (const speakers of fault.resets) {
        const hit = proxies.filter((_, speaker) => speakers[speaker]);
        figures.resets += hit.length;
        await during(resetMs, hit, (proxy) => proxy.add({ type: "reset_peer", timeout: 0 }, both));
        await sleep(1_000 - resetMs);
      }
      return;
    case "delay":
      return during(fault.durationMs, proxies, (proxy) => proxy.add({ type: "latency", latency: 500 }, both));
    case "narrow":
      return during(fault.durationMs, proxies, (proxy) =>
        proxy.add({ type: "bandwidth", rate: 8 }, ["upstream"]),
      );
  }
}

async function during(
  ms: number,
  proxies: readonly ToxicProxy[],
  begin: (proxy: ToxicProxy) => Promise<() => Promise<void>>,
  beforeEnd?: () => void,
): Promise<void> {
  const ends = await Promise.all(proxies.map(begin));
  await sleep(ms);
  beforeEnd?.();
  await Promise.all(ends.map((end) => end()));
}
