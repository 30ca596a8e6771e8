/**
 * PGlite: PostgreSQL inside this process, with its data in a folder or, for a throw-away one, in memory. Owns the
 * folder, its lock and its first initialisation. It has one connection; Kysely's lock on it is the only way in, so a
 * transaction is never interleaved with another query.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import type { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect } from "kysely";
import { allRows } from "./database-connection.ts";
import type { DatabaseConnection, SqlResult } from "./database-connection.ts";
import { lockFolder } from "./folder-lock.ts";
import { migrate } from "./migrate.ts";
import { StorableText } from "./storable-text.ts";
import { StorageError, toStorageError } from "./storage-error.ts";
import type { Tables } from "./tables.ts";

/** `dataDir` holds the folder `pglite` and, beside it, its lock. */
export async function openPglite(dataDir: string): Promise<DatabaseConnection> {
  if (dataDir === "memory:") return connect(await start(undefined), () => undefined);
  mkdirSync(dataDir, { recursive: true });
  const folder = join(dataDir, "pglite");
  const lock = lockFolder(folder);
  try {
    await initialiseOnce(folder);
    return await connect(await startFolder(folder), () => lock.release());
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Beside the folder and then renamed, so that the folder is whole or not there, whenever the process is killed. */
async function initialiseOnce(folder: string): Promise<void> {
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  if (existsSync(folder)) return;
  const pglite = await start(unfinished);
  await pglite.close();
  renameSync(unfinished, folder);
}

async function startFolder(folder: string): Promise<PGlite> {
  if (!existsSync(join(folder, "PG_VERSION"))) {
    throw new StorageError(
      "corrupt",
      `${folder} is not a PGlite folder; move it away or restore it from a backup`,
    );
  }
  try {
    return await start(folder);
  } catch (error) {
    const known = toStorageError(error);
    if (known.code !== "internal") throw known;
    throw new StorageError("corrupt", `PGlite cannot open ${folder}; restore it from a backup`, error);
  }
}

async function start(folder: string | undefined): Promise<PGlite> {
  setFlagsFromString("--wasm-tiering-budget=2000000000");
  const { PGlite } = await import("@electric-sql/pglite");
  return PGlite.create({
    ...(folder !== undefined && { dataDir: folder }),
    startParams: [...PGlite.defaultStartParams, "-c", "shared_buffers=4MB"],
  });
}

async function connect(pglite: PGlite, release: () => void): Promise<DatabaseConnection> {
  const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }), plugins: [new StorableText()] });
  await migrate(db.withoutPlugins());
  return {
    kind: "pglite",
    db,
    executeSql: (text, values) => db.connection().execute(() => executeSql(pglite, text, values)),
    async close() {
      try {
        await db.destroy();
      } finally {
        release();
      }
    },
  };
}

async function executeSql(pglite: PGlite, text: string, values?: unknown[]): Promise<SqlResult> {
  if (values !== undefined && values.length > 0) return pglite.query(text, values);
  try {
    return allRows(await pglite.exec(text));
  } catch (error) {
    // A text of several statements that fails half-way leaves its transaction open, on the only connection there is.
    await pglite.exec("rollback");
    throw error;
  }
}
