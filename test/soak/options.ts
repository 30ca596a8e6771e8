/** The command line of `npm run soak`. */
import { parseArgs } from "node:util";

export interface SoakOptions {
  readonly minutes: number;
  readonly streams: number;
  /** Planted in the server with each stream, to see the soak fail. */
  readonly leakKb: number;
  readonly seed: number;
}

export const usage = "npm run soak -- [--minutes 30] [--streams 50] [--seed N] [--leak-kb 0]";

/** Throws an Error that says what is wrong. */
export function readSoakOptions(args: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "30" },
      streams: { type: "string", default: "50" },
      seed: { type: "string", default: "1" },
      "leak-kb": { type: "string", default: "0" },
    },
  });
  return {
    minutes: inRange("minutes", values.minutes, 0.5, 10_000),
    streams: inRange("streams", values.streams, 1, 500),
    seed: inRange("seed", values.seed, 0, 2 ** 32 - 1),
    leakKb: inRange("leak-kb", values["leak-kb"], 0, 100_000),
  };
}

function inRange(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= least && value <= most)) {
    throw new Error(`--${name}: expected a number from ${least} to ${most}`);
  }
  return value;
}
