/** What will be done to the server and the network, and when: a function of the seed alone. Does nothing itself. */
import { createRandom } from "./random.ts";
import type { Random } from "./random.ts";

/** The moment at which the server is killed. */
export type KillMoment =
  /** Some time after it was ready. */
  | "any"
  /** While a commit is under way. */
  | "commit"
  /** While somebody speaks or has just ceased to, so that the engine works. */
  | "decode"
  /** Just after an acknowledgement. */
  | "ack"
  /** Just after a stream was continued. */
  | "resume"
  /** Before it is ready. */
  | "start";

export interface Kill {
  readonly moment: KillMoment;
  /** Since the server was ready; for "start" since it was spawned. */
  readonly notBeforeMs: number;
  /** Since the moment came. */
  readonly delayMs: number;
  /** With "commit" on PostgreSQL: what becomes of the dead server's commit, and how long after the kill. */
  readonly heldCommit: "finishes" | "is undone";
  readonly holdMs: number;
}

export type NetworkFaultKind = "cut" | "half-open" | "loss" | "delay" | "narrow";

export interface NetworkFault {
  readonly kind: NetworkFaultKind;
  /** Since the fault before was over. */
  readonly notBeforeMs: number;
  /** For "half-open" the longest: it ends for a speaker who has noticed it, `lingerMs` later. */
  readonly durationMs: number;
  readonly lingerMs: number;
  /** For "loss": for each second of it and each speaker, whether the connection is reset. */
  readonly resets: readonly (readonly boolean[])[];
}

/** Chance of a reset in each second of "loss", for each connection. */
export const lossPerSecond = 0.02;

const moments: readonly KillMoment[] = [
  ...Array<KillMoment>(6).fill("any"),
  ...Array<KillMoment>(5).fill("commit"),
  ...Array<KillMoment>(4).fill("decode"),
  ...Array<KillMoment>(3).fill("ack"),
  ...Array<KillMoment>(1).fill("resume"),
  ...Array<KillMoment>(1).fill("start"),
];

/** The first kills take each moment once, so that a short run tries all of them; "start" needs one before it. */
export function planKills(seed: number, count: number): Kill[] {
  const random = createRandom(seed);
  const all = [...new Set(moments)];
  const first = [
    ...shuffle(
      all.filter((moment) => moment !== "start"),
      random,
    ),
    "start" as const,
  ];
  return Array.from({ length: count }, (_, index) => {
    const moment = first[index] ?? random.pick(moments);
    return {
      moment,
      notBeforeMs: moment === "start" ? random.between(0, 1_800) : random.between(100, 4_000),
      delayMs: delayOf(moment, random),
      heldCommit: random.pick(["finishes", "is undone"] as const),
      holdMs: random.pick([0, random.between(0, 1_000), random.between(1_500, 4_000)]),
    };
  });
}

export function planNetworkFaults(seed: number, count: number, speakers: number): NetworkFault[] {
  const random = createRandom(seed ^ 0x6e657477);
  const kinds: readonly NetworkFaultKind[] = ["cut", "half-open", "loss", "delay", "narrow"];
  const order: NetworkFaultKind[] = [];
  while (order.length < count) order.push(...shuffle(kinds, random));
  return order.slice(0, count).map((kind) => {
    const durationMs = Math.round(durationOf(kind, random));
    const seconds = kind === "loss" ? Math.floor(durationMs / 1_000) : 0;
    return {
      kind,
      notBeforeMs: random.between(200, 2_000),
      durationMs,
      lingerMs: random.between(0, 800),
      resets: Array.from({ length: seconds }, () =>
        Array.from({ length: speakers }, () => random.next() < lossPerSecond),
      ),
    };
  });
}

function delayOf(moment: KillMoment, random: Random): number {
  switch (moment) {
    case "any":
    case "start":
      return 0;
    case "commit":
      return random.between(0, 120);
    case "decode":
      return random.between(0, 400);
    case "ack":
      return random.between(0, 5);
    case "resume":
      return random.between(0, 200);
  }
}

function durationOf(kind: NetworkFaultKind, random: Random): number {
  switch (kind) {
    case "cut":
      return random.between(50, 1_000);
    case "half-open":
      return random.between(11_000, 14_000); // longer than it may take to be noticed
    case "loss":
      return random.between(15_000, 20_000);
    case "delay":
    case "narrow":
      return random.between(6_000, 10_000);
  }
}

function shuffle<T>(values: readonly T[], random: Random): T[] {
  return values
    .map((value) => ({ value, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}
