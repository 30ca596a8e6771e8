/** Fails when `buf generate` would change anything under gen/: compares a fresh generation with what is there. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

const scratch = mkdtempSync(join(tmpdir(), "parley-generate-"));
try {
  for (const part of ["proto", "third_party", "buf.yaml", "buf.gen.yaml"]) {
    cpSync(part, join(scratch, part), { recursive: true });
  }
  execFileSync("buf", ["generate"], { cwd: scratch, stdio: "inherit" });
  const fresh = readTree(join(scratch, "gen"));
  const committed = readTree("gen");
  const stale = [...new Set([...fresh.keys(), ...committed.keys()])].filter(
    (file) => fresh.get(file) !== committed.get(file),
  );
  if (stale.length > 0) {
    console.error(`gen/ is not up to date; run "npm run generate". Differs: ${stale.join(", ")}`);
    process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function readTree(root: string): Map<string, string> {
  return new Map(
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [relative(root, file), readFileSync(file, "utf8")]),
  );
}
