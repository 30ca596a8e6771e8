/**
 * `npm run fuzz -- [--seconds 60] [--seed N] [--file F]`: the fuzz target with random bytes, or once with those of a file. What
 * is found is written to .cache/fuzz, each in a file of its own. Exits with 1 when something was.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runInWorker } from "./run-in-worker.ts";
import type { FuzzWork } from "./fuzz-progress.ts";

/** No token takes so long, on any machine. */
const hangMs = 10_000;
const folder = join(import.meta.dirname, "../../.cache/fuzz");

const { seconds, seed, file } = readOptions();
const work: FuzzWork =
  file === undefined ? { kind: "random", seed, seconds } : { kind: "data", data: readFileSync(file) };
console.log(work.kind === "random" ? `seed ${seed}, ${seconds} s` : `the bytes of ${file}`);
const { count, findings } = await runInWorker(work, { hangMs });
for (const [index, { problem, data }] of findings.entries()) {
  console.log(problem);
  if (work.kind !== "random") continue;
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${seed}-${index}`);
  writeFileSync(path, data);
  console.log(`  again: npm run fuzz -- --file ${path}`);
}
console.log(`${count} tokens, ${findings.length === 0 ? "nothing" : findings.length} found`);
process.exitCode = findings.length === 0 ? 0 : 1;

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: "string", default: "60" },
        seed: { type: "string", default: String(Date.now() % 2 ** 31) },
        file: { type: "string" },
      },
    });
    const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
    if (!(seconds > 0) || !Number.isSafeInteger(seed)) throw new Error("expected numbers");
    return { seconds, seed, file: values.file };
  } catch (error) {
    console.error(error instanceof Error ? error.message : "?");
    console.error("npm run fuzz -- [--seconds 60] [--seed N] [--file F]");
    process.exit(2);
  }
}
