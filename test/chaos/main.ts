/**
 * `npm run chaos`: kills the real server, and breaks the network before it, again and again while clients speak, and
 * checks what was promised. Exits with 1 on any violation, with 2 when it could not run, or on CI not all of it.
 */
import { readOptions, usage } from "./options.ts";
import type { Options } from "./options.ts";
import { postgresMissing } from "./postgres.ts";
import { printRuns } from "./report.ts";
import type { Run } from "./report.ts";
import { carryOutRun } from "./run.ts";
import type { Share } from "./run.ts";
import { findToxiproxy, installLine } from "./toxiproxy.ts";

const options = parse();
console.log(`seed ${options.seed}`);
const skipped: string[] = [];
const runs: Run[] = [];
for (const share of shares(options)) {
  const missing = await missingFor(share);
  if (missing !== undefined) skipped.push(`SKIPPED ${share.faults} on ${share.storage}: ${missing}`);
  else runs.push(await carryOutRun(share, options).catch(giveUp));
}
if (runs.length > 0) printRuns(runs);
for (const line of skipped) console.log(line);
if (runs.some(({ verdict }) => verdict.violations.length > 0)) giveUp();
const isIncomplete = runs.length === 0 || (skipped.length > 0 && process.env["CI"] === "true");
process.exit(isIncomplete ? 2 : 0);

function giveUp(error?: unknown): never {
  if (error !== undefined) console.log(error);
  console.log(`FAILED; the same plan again: --seed ${options.seed}`);
  process.exit(1);
}

function parse(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : "?"}\n${usage}`);
    process.exit(2);
  }
}

/** Kills and faults divided among the databases. */
function shares({ faults, storages, kills, networkFaults, seed }: Options): Share[] {
  return faults.flatMap((kind) =>
    storages.flatMap((storage, index) => {
      const total = kind === "kill" ? kills : networkFaults;
      const count = Math.ceil((total - index) / storages.length);
      return count > 0 ? [{ storage, faults: kind, count, seed: seed + index }] : [];
    }),
  );
}

async function missingFor({ storage, faults }: Share): Promise<string | undefined> {
  if (faults === "network" && findToxiproxy() === undefined) {
    return `toxiproxy is not here; install it with: ${installLine}`;
  }
  const missing = storage === "postgres" ? await postgresMissing() : undefined;
  return missing && `no PostgreSQL: ${missing}`;
}
