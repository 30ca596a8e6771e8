/**
 * One run of network faults: speakers speak through a proxy each, which cuts, stalls, delays and narrows as planned.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { NetworkFault } from "./plan.ts";
import type { Direction, Toxic, ToxicProxy } from "./toxiproxy.ts";
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

/** One speaker's way to the server, or to several that share a database. */
export class Route {
  readonly #proxies: readonly ToxicProxy[];
  #turns = 0;

  /** One proxy for each server. */
  constructor(proxies: readonly ToxicProxy[]) {
    this.#proxies = proxies;
  }

  get current(): ToxicProxy {
    return this.#proxies[this.#turns % this.#proxies.length]!;
  }

  /** Streams from now on go to the next server; those that are open stay where they are. */
  turn(): void {
    this.#turns += 1;
  }
}

export interface NetworkRun {
  readonly routes: readonly Route[];
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
  const { routes, stage } = run;
  const everywhere = (toxic: Toxic, directions = both) =>
    Promise.all(routes.map((route) => route.current.add(toxic, directions)));
  switch (fault.kind) {
    case "cut":
      figures.resets += routes.length;
      return during(fault.durationMs, await everywhere({ type: "reset_peer", timeout: 0 }), routes);
    case "half-open": {
      const open = stage.openStreams();
      const sinceMs = performance.now();
      const isOver = () => performance.now() - sinceMs > fault.durationMs;
      const ends = await everywhere({ type: "timeout", timeout: 0 });
      for (const route of routes) route.turn();
      await Promise.all(
        ends.map(async (end, speaker) => {
          const stream = open.find((candidate) => candidate.speaker === speaker);
          while (stream && stream.closedAtMs() === undefined && !isOver()) await sleep(10);
          if (stream) figures.noticedMs.push((stream.closedAtMs() ?? Infinity) - sinceMs);
          await sleep(fault.lingerMs);
          await end();
        }),
      );
      return;
    }
    case "loss":
      for (const speakers of fault.resets) {
        const hit = routes.filter((_, speaker) => speakers[speaker]);
        figures.resets += hit.length;
        const reset: Toxic = { type: "reset_peer", timeout: 0 };
        await during(resetMs, await Promise.all(hit.map((route) => route.current.add(reset, both))));
        await sleep(1_000 - resetMs);
      }
      return;
    case "delay":
      return during(fault.durationMs, await everywhere({ type: "latency", latency: 500 }));
    case "narrow":
      return during(fault.durationMs, await everywhere({ type: "bandwidth", rate: 8 }, ["upstream"]));
  }
}

/** Takes away what was put in the way after so long. The speakers of `turning` try the next server meanwhile. */
async function during(
  ms: number,
  ends: readonly (() => Promise<void>)[],
  turning: readonly Route[] = [],
): Promise<void> {
  for (const route of turning) route.turn();
  await sleep(ms);
  await Promise.all(ends.map((end) => end()));
}
