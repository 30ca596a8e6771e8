/**
 * The first initialisation of a PGlite folder. It happens in a folder beside, which is then renamed, so that the folder
 * is whole or not there at whatever moment the process is killed; and in a process of its own, because it needs some
 * 500 MB for a second that would stay with this one.
 */
import { fork } from "node:child_process";
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

/** Makes `folder` unless it is there. The caller holds the folder's lock. */
export async function initialisePglite(folder: string): Promise<void> {
  removeUnfinished(folder);
  if (existsSync(folder)) return;
  // The name is new each time: a killed process's child may still be writing for a moment.
  const unfinished = `${folder}.new-${randomUUID()}`;
  try {
    await initialiseInChild(unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    removeUnfinished(folder);
    throw error;
  }
}

function removeUnfinished(folder: string): void {
  const parent = dirname(folder);
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(`${basename(folder)}.new-`)) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // Still being written by a killed process's child; it costs disk only, and the next start tries again.
    }
  }
}

/** Code and not a file, so that it needs no file beside it when this is bundled. Ends with its parent. */
const childCode = `
  process.on("disconnect", () => process.exit(1));
  const { PGlite } = require(process.argv[1]);
  PGlite.create({ dataDir: process.argv[2], initDbStartParams: ["--wal-segsize=1"] })
    .then((pglite) => pglite.close())
    .then(() => process.exit(0), (error) => {
      process.send({ code: error.code, message: error.message }, () => process.exit(1));
    });
`;

async function initialiseInChild(folder: string): Promise<void> {
  const library = createRequire(import.meta.url).resolve("@electric-sql/pglite");
  const child = fork(library, [folder], {
    execArgv: ["-e", childCode],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>();
  let failure: unknown;
  child.on("message", (message) => (failure = message));
  child.on("error", reject);
  child.on("exit", resolve);
  const exitCode = await ended;
  if (exitCode === 0) return;
  throw Object.assign(new Error("the first initialisation of PGlite failed"), failure);
}
