/**
 * PGlite: PostgreSQL inside this process, with its data in a folder or, for a throw-away one, in memory. Owns the folder
 * and its lock. It has one connection; Kysely's lock on it is the only way in, so that a transaction is never interleaved
 * with another query. What is committed survives the death of the process; PGlite does not sync to the disk, so the last
 * moments before a power failure may be lost.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { PGlite, PGliteOptions } from "@electric-sql/pglite";
import { Kysely, PGliteDialect } from "kysely";
import type { Logger } from "pino";
import { allRows } from "./database-connection.ts";
import type { DatabaseConnection, SqlResult } from "./database-connection.ts";
import { lockFolder } from "./folder-lock.ts";
import { migrate } from "./migrate.ts";
import { inProcessNotices } from "./notices-in-process.ts";
import { initialisePglite } from "./pglite-initialise.ts";
import { StorableText } from "./storable-text.ts";
import { StorageError, toStorageError } from "./storage-error.ts";
import type { Tables } from "./tables.ts";

export interface PgliteOptions {
  readonly log: Logger;
  /** Whether to bring the tables up to date. */
  readonly migrate: boolean;
}

/** `dataDir` holds the folder `pglite` and, beside it, its lock. */
export async function openPglite(dataDir: string, options: PgliteOptions): Promise<DatabaseConnection> {
  if (dataDir === "memory:") {
    const pglite = await start({});
    collectGarbage();
    return connect(pglite, () => undefined, options);
  }
  mkdirSync(dataDir, { recursive: true });
  const folder = join(dataDir, "pglite");
  const lock = lockFolder(folder);
  try {
    await initialisePglite(folder);
    return await connect(await startFolder(folder), () => lock.release(), options);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function startFolder(folder: string): Promise<PGlite> {
  if (!existsSync(join(folder, "PG_VERSION"))) {
    throw new StorageError(
      "corrupt",
      `${folder} is not a PGlite folder; move it away or restore it from a backup`,
    );
  }
  try {
    return await start({ dataDir: folder });
  } catch (error) {
    const known = toStorageError(error);
    if (known.code !== "internal") throw known;
    throw new StorageError("corrupt", `PGlite cannot open ${folder}; restore it from a backup`, error);
  }
}

/**
 * V8 would compile PGlite a second time, optimised, which takes 500 MB while it lasts and gains nothing measurable here.
 * The flags count for WebAssembly that is compiled while they are set.
 */
async function start(options: PGliteOptions): Promise<PGlite> {
  const { PGlite } = await import("@electric-sql/pglite");
  const optimising = ["wasm-tier-up", "wasm-dynamic-tiering"];
  for (const flag of optimising) setFlagsFromString(`--no-${flag}`);
  try {
    return await PGlite.create({
      ...options,
      // Instead of 160 MB; the operating system's cache is as good.
      startParams: [...PGlite.defaultStartParams, "-c", "shared_buffers=4MB"],
    });
  } finally {
    for (const flag of optimising) setFlagsFromString(`--${flag}`);
  }
}

/** An initialisation in this process leaves some 300 MB that V8 is in no hurry to give back. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

async function connect(
  pglite: PGlite,
  release: () => void,
  options: PgliteOptions,
): Promise<DatabaseConnection> {
  const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }), plugins: [new StorableText()] });
  const close = async () => {
    try {
      await db.destroy();
    } finally {
      release();
    }
  };
  try {
    if (options.migrate) await migrate(db.withoutPlugins());
  } catch (error) {
    await close();
    throw error;
  }
  return {
    kind: "pglite",
    db,
    executeSql: (text, values) => db.connection().execute(() => executeSql(pglite, text, values)),
    notices: inProcessNotices(options.log),
    close,
  };
}

async function executeSql(pglite: PGlite, text: string, values?: unknown[]): Promise<SqlResult> {
  try {
    if (values !== undefined && values.length > 0) return await pglite.query(text, values);
    return allRows(await pglite.exec(text));
  } catch (error) {
    // A text of several statements that fails half-way leaves its transaction open, on the only connection there is.
    await pglite.exec("rollback");
    throw error;
  }
}
