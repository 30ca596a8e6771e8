/** What openStorage needs of either database. Implemented in postgres.ts and pglite.ts. */
import type { Notices } from "../notices.ts";
import type { StorageHealth } from "./health.ts";
import type { Database } from "./tables.ts";

export interface DatabaseConnection {
  readonly kind: "pglite" | "postgres";
  /** Migrated and ready. */
  readonly db: Database;
  /**
   * Plain SQL for pg-boss. Without `values` the text may hold several statements, a transaction among them; the rows are
   * then those of all of them.
   */
  executeSql(text: string, values?: unknown[]): Promise<SqlResult>;
  readonly notices: Notices;
  /** Only where notices go over Redis. */
  readonly redisHealth?: () => Promise<StorageHealth>;
  close(): Promise<void>;
}

export interface SqlResult {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- pg-boss's own type
  rows: any[];
}

/** Of several statements' results, what pg-boss makes of them. */
export function allRows(results: readonly { rows: unknown[] }[]): SqlResult {
  return { rows: results.flatMap(({ rows }) => rows) };
}
