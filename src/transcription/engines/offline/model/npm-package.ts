/** Where the user's own npm would get a package from: its configuration decides about registries and mirrors, not us. */
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ModelError } from "./model-error.ts";

const run = promisify(execFile);
const timeoutMs = 60_000;

/** `packageSpec` is name@version. Rejects with ModelError `unreachable`. */
export async function tarballAddress(packageSpec: string, signal?: AbortSignal): Promise<URL> {
  const npm = await npmCommand();
  try {
    const options = { timeout: timeoutMs, ...(signal === undefined ? {} : { signal }) };
    const { stdout } = await run(npm, ["view", packageSpec, "dist.tarball", "--loglevel=error"], options);
    return new URL(stdout.trim());
  } catch (error) {
    signal?.throwIfAborted();
    const reason =
      error instanceof Error && "code" in error && error.code === "ENOENT"
        ? "npm was not found"
        : "npm view failed";
    throw new ModelError("unreachable", `${reason} for ${packageSpec}`, { cause: error });
  }
}

/** The npm that came with this Node, or else the one on the PATH. */
async function npmCommand(): Promise<string> {
  const beside = join(dirname(process.execPath), "npm");
  return access(beside).then(
    () => beside,
    () => "npm",
  );
}
