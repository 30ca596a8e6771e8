/** `npm run fuzz -- [--seconds 60] [--seed N] [--file F]`: the fuzz target with random bytes, or once with those of a file. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createRandom } from "../chaos/random.ts";
import { randomBytesOf } from "./random-bytes.ts";
import { fuzz } from "./verify-token.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" }, file: { type: "string" } },
});
if (values.file !== undefined) {
  await fuzz(readFileSync(values.file));
  console.log("nothing found");
  process.exit(0);
}
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const endMs = Date.now() + Number(values.seconds) * 1000;
const random = createRandom(seed);
const findings: string[] = [];
let count = 0;
console.log(`seed ${seed}`);
for (; Date.now() < endMs && findings.length < 10; count++) {
  const data = randomBytesOf(random);
  try {
    await fuzz(data);
  } catch (error) {
    const folder = join(import.meta.dirname, "../../.cache/fuzz");
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${seed}-${count}`);
    writeFileSync(file, data);
    findings.push(`${String(error)}\n  again: npm run fuzz -- --file ${file}`);
  }
}
console.log(`${count} tokens, ${findings.length} findings`);
for (const finding of findings) console.log(finding);
process.exit(findings.length === 0 ? 0 : 1);
