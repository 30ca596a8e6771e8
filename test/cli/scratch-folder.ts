/** A folder for one test file, removed after it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** To be called while the file is loaded. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
