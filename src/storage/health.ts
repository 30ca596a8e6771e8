/** Whether the database answers. Cheap and bounded in time, however many ask at once. */
import { sql } from "kysely";
import type { DatabaseConnection } from "./database-connection.ts";
import { toStorageError } from "./storage-error.ts";

export interface StorageHealth {
  readonly ready: boolean;
  /** For an operator; no secrets. */
  readonly detail: string;
}

const timeoutMs = 2000;

/** One question at a time: those who ask meanwhile share its answer, so a hanging database is not asked again and again. */
export function healthOf({ kind, db }: DatabaseConnection): () => Promise<StorageHealth> {
  let asking: Promise<StorageHealth> | undefined;
  const ask = async (): Promise<StorageHealth> => {
    try {
      await sql`select 1`.execute(db);
      return { ready: true, detail: kind };
    } catch (error) {
      return { ready: false, detail: `${kind}: ${toStorageError(error).message}` };
    } finally {
      asking = undefined;
    }
  };
  return () => within(timeoutMs, (asking ??= ask()), { ready: false, detail: `${kind}: no answer yet` });
}

async function within<T>(ms: number, promise: Promise<T>, otherwise: T): Promise<T> {
  const { promise: late, resolve } = Promise.withResolvers<T>();
  const timer = setTimeout(() => resolve(otherwise), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
