/** The command line of `npm run chaos`. */
import { parseArgs } from "node:util";

export type StorageKind = "postgres" | "pglite";
export type FaultKind = "kill" | "network";
export type TransportKind = "grpc" | "websocket";

export interface Options {
  readonly kills: number;
  readonly networkFaults: number;
  readonly seed: number;
  readonly storages: readonly StorageKind[];
  readonly faults: readonly FaultKind[];
  readonly speakers: number;
  /** The speakers take turns with them. */
  readonly transports: readonly TransportKind[];
  /** Times real time. */
  readonly pace: number;
  /** Audio of each session. */
  readonly sessionMs: number;
}

export const usage = `npm run chaos -- [--kills 200] [--network-faults 40] [--seed N] [--storage postgres|pglite|both]
  [--faults kill|network|all] [--speakers 4] [--transport grpc|websocket|both] [--pace 4] [--session-seconds 120]
The kills and the network faults are divided among the databases. The same seed gives the same plan.`;

/** Throws an Error that says what is wrong. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: "string", default: "200" },
      "network-faults": { type: "string", default: "40" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
      storage: { type: "string", default: "both" },
      faults: { type: "string", default: "kill" },
      speakers: { type: "string", default: "4" },
      transport: { type: "string", default: "both" },
      pace: { type: "string", default: "4" },
      "session-seconds": { type: "string", default: "120" },
    },
  });
  return {
    kills: whole("kills", values.kills, 1, 100_000),
    networkFaults: whole("network-faults", values["network-faults"], 1, 100_000),
    seed: whole("seed", values.seed, 0, 2 ** 32 - 1),
    storages: oneOf<readonly StorageKind[]>("storage", values.storage, {
      both: ["postgres", "pglite"],
      postgres: ["postgres"],
      pglite: ["pglite"],
    }),
    faults: oneOf<readonly FaultKind[]>("faults", values.faults, {
      kill: ["kill"],
      network: ["network"],
      all: ["kill", "network"],
    }),
    speakers: whole("speakers", values.speakers, 1, 8),
    transports: oneOf<readonly TransportKind[]>("transport", values.transport, {
      both: ["grpc", "websocket"],
      grpc: ["grpc"],
      websocket: ["websocket"],
    }),
    pace: whole("pace", values.pace, 1, 20),
    sessionMs: whole("session-seconds", values["session-seconds"], 10, 3_600) * 1000,
  };
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new Error(`--${name}: expected a whole number from ${least} to ${most}`);
  }
  return value;
}

function oneOf<T>(name: string, text: string, choices: Readonly<Record<string, T>>): T {
  const found = Object.entries(choices).find(([choice]) => choice === text);
  if (!found) throw new Error(`--${name}: expected one of ${Object.keys(choices).join(", ")}`);
  return found[1];
}
