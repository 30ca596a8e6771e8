/**
 * Keeps two processes off one PGlite folder. The lock is an operating-system lock, which SQLite (part of Node) takes on
 * an empty file: it ends with its process however that dies, so there is no stale lock to detect, and no pid to
 * mistrust. The pid is written beside it for the message only; nothing is decided by it.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { StorageError } from "./storage-error.ts";

export interface FolderLock {
  release(): void;
}

/** Locks `folder` through `<folder>.lock`. Throws StorageError `locked` at once when another holds it. */
export function lockFolder(folder: string): FolderLock {
  const holderFile = `${folder}.pid`;
  const file = new DatabaseSync(`${folder}.lock`, { timeout: 0 });
  try {
    file.exec("pragma locking_mode = exclusive; begin exclusive");
  } catch (error) {
    file.close();
    if (!isBusy(error)) throw error;
    throw new StorageError("locked", `${folder} is in use by ${holderOf(holderFile)}; ${whatToDo}`);
  }
  writeFileSync(holderFile, `${String(process.pid)}\n`);
  return {
    release() {
      if (!file.isOpen) return;
      rmSync(holderFile, { force: true });
      file.close();
    },
  };
}

const whatToDo =
  "stop it, or give this one another DATA_DIR, or use PostgreSQL (DATABASE_URL) for several at once";

const sqliteBusy = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === sqliteBusy;
}

/** The holder may not have written its pid yet: then it is only "another process". */
function holderOf(holderFile: string): string {
  try {
    const pid = Number(readFileSync(holderFile, "utf8"));
    return Number.isInteger(pid) && pid > 0 ? `process ${pid}` : "another process";
  } catch {
    return "another process";
  }
}
