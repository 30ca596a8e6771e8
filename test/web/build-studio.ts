/** The studio as it is now, built into a folder of its own, as `npm run build:web` builds it. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";

let built: Promise<string> | undefined;

/** The folder; built once in a process. */
export function buildStudio(): Promise<string> {
  return (built ??= buildInto());
}

async function buildInto(): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), "parley-web-"));
  await build({
    configFile: join(import.meta.dirname, "../../vite.config.ts"),
    build: { outDir },
    logLevel: "error",
  });
  return outDir;
}
