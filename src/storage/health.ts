/** Whether a server that storage rests on answers. Cheap and bounded in time, however many ask at once. */
import { sql } from "kysely";
import type { DatabaseConnection } from "./database-connection.ts";
import { toStorageError } from "./storage-error.ts";

export interface StorageHealth {
  readonly ready: boolean;
  /** For an operator; no secrets. */
  readonly detail: string;
}

const timeoutMs = 2000;

export function databaseHealth({ kind, db }: DatabaseConnection): () => Promise<StorageHealth> {
  return healthOf(kind, () => sql`select 1`.execute(db));
}

/** One question at a time: those who ask meanwhile share its answer, so a hanging server is not asked again and again. */
export function healthOf(name: string, ask: () => Promise<unknown>): () => Promise<StorageHealth> {
  let asking: Promise<StorageHealth> | undefined;
  const askOnce = async (): Promise<StorageHealth> => {
    try {
      await ask();
      return { ready: true, detail: name };
    } catch (error) {
      return { ready: false, detail: `${name}: ${toStorageError(error).message}` };
    } finally {
      asking = undefined;
    }
  };
  return () => within(timeoutMs, (asking ??= askOnce()), { ready: false, detail: `${name}: no answer yet` });
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
