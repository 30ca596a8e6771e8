/**
 * The errors of storage, and the one place that understands the drivers' own.
 * Neither the message nor the cause ever carries a parameter value: no transcript, no name, no key.
 */

/**
 * - `unavailable`: the database cannot be reached or does not answer in time; the same call may succeed later
 * - `fenced`: the session has another owner by now, or has ended
 * - `bad-page-token`: the page token is not one that this list gave
 * - `conflict`: the id is taken
 * - `locked`: another process uses the PGlite folder
 * - `corrupt`: the stored data cannot be read
 * - `disk-full`: no room to write
 * - `internal`: anything else; a defect or a wrong set-up
 */
export type StorageErrorCode =
  "unavailable" | "fenced" | "bad-page-token" | "conflict" | "locked" | "corrupt" | "disk-full" | "internal";

export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly code: StorageErrorCode;
  /** True when the same call may succeed later without anybody doing anything. */
  readonly retryable: boolean;

  constructor(code: StorageErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.retryable = code === "unavailable";
  }
}

/** Turns whatever a driver rejects with into a StorageError; one that already is stays as it is. */
export function toStorageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  if (!(error instanceof Error)) return new StorageError("internal", "the database driver failed");
  const driverCode = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (driverCode !== undefined && unreachable.has(driverCode)) {
    return new StorageError("unavailable", `the database cannot be reached (${driverCode})`, error);
  }
  if (driverCode === "ENOSPC" || driverCode === "EDQUOT") {
    return new StorageError("disk-full", `the disk is full (${driverCode})`, error);
  }
  // After the codes of Node, one of which (EPIPE) looks like a SQLSTATE.
  if (driverCode !== undefined && /^[0-9A-Z]{5}$/.test(driverCode)) return fromSqlState(driverCode, error);
  if (lostConnection.some((start) => error.message.startsWith(start))) {
    return new StorageError("unavailable", "the connection to the database was lost or timed out", error);
  }
  return new StorageError("internal", "the database driver failed", error);
}

const unreachable: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EMFILE",
]);

/** `pg` gives these no code; they are the beginnings of its messages. */
const lostConnection = [
  "Connection terminated",
  "Connection ended",
  "Client has encountered a connection error",
  "Client was closed",
  "Query read timeout",
  "timeout expired",
  "timeout exceeded when trying to connect",
];

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
function fromSqlState(sqlState: string, error: Error): StorageError {
  const cause = withoutValues(sqlState, error);
  const say = (code: StorageErrorCode, what: string) =>
    new StorageError(code, `${what} (${sqlState})`, cause);
  if (sqlState === "53100") return say("disk-full", "the disk of the database is full");
  if (sqlState.startsWith("53")) return say("unavailable", "the database is out of connections or memory");
  if (sqlState.startsWith("08")) return say("unavailable", "the connection to the database was lost");
  if (sqlState.startsWith("57P")) return say("unavailable", "the database is starting or shutting down");
  if (sqlState === "57014") return say("unavailable", "the database did not answer in time");
  if (sqlState.startsWith("40") || sqlState === "55P03")
    return say("unavailable", "the database is contended");
  if (sqlState === "25006") return say("unavailable", "the database is read-only for now");
  if (sqlState === "23505") return say("conflict", `already there${constraintOf(error)}`);
  if (sqlState.startsWith("XX00") && sqlState !== "XX000")
    return say("corrupt", "the stored data is damaged");
  if (sqlState.startsWith("28")) return say("internal", "the database refuses the user or the password");
  if (sqlState === "3D000") return say("internal", "the server has no database of that name");
  return say("internal", "the database refused a statement");
}

/** A driver's error repeats parameter values in message, detail, where, query and params; this keeps the rest. */
function withoutValues(sqlState: string, error: Error): Error {
  const cause = new Error(`SQLSTATE ${sqlState}${constraintOf(error)}`);
  const frames = error.stack?.split("\n").filter((line) => /^\s+at /.test(line)) ?? [];
  cause.stack = [`Error: ${cause.message}`, ...frames].join("\n");
  return cause;
}

function constraintOf(error: Error): string {
  return "constraint" in error && typeof error.constraint === "string" ? ` [${error.constraint}]` : "";
}
