/** Where the tests and benches look for, and put, the model files: MODEL_DIR, or the user's cache. */
import { homedir } from "node:os";
import { join } from "node:path";

export function testModelDir(): string {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return process.env["MODEL_DIR"] ?? join(cache, "parley", "models");
}
