/**
 * PostgreSQL through `pg`. Owns the pools and what carries notices. Every wait is bounded, so that a PostgreSQL that hangs
 * becomes an error, and a connection that failed is thrown away, so that the pool is whole again as soon as PostgreSQL is.
 */
import { Kysely, PostgresDialect, sql } from "kysely";
import type { PostgresPool, PostgresPoolClient } from "kysely";
import pg from "pg";
import type { Logger } from "pino";
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import { allRows } from "./database-connection.ts";
import type { DatabaseConnection, SqlResult } from "./database-connection.ts";
import { migrate } from "./migrate.ts";
import type { ListeningNotices } from "./notices-listening.ts";
import { postgresNotices } from "./notices-postgres.ts";
import type { RedisNotices } from "./notices-redis.ts";
import { StorableText } from "./storable-text.ts";
import { toStorageError } from "./storage-error.ts";
import type { Tables } from "./tables.ts";

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** Carries notices. Absent: PostgreSQL does. */
  readonly redisUrl?: string;
  readonly log: Logger;
  /** Connections for the stores. Default 10. Jobs have up to 3 more of their own, so that they never delay a caption. */
  readonly poolSize?: number;
  /** Longest wait for a connection, and for an answer, in milliseconds. Default 5000. */
  readonly timeoutMs?: number;
  /** Whether to bring the tables up to date. Default true. */
  readonly migrate?: boolean;
  /** By which notices are checked and tried again. Default the real one. */
  readonly clock?: Clock;
}

/** Jobs and migrations may take long: what pg-boss does at its start, or another replica's migration before ours. */
const longTimeoutMs = 60_000;

export async function openPostgres(options: PostgresOptions): Promise<DatabaseConnection> {
  const { poolSize = 10, timeoutMs = 5000 } = options;
  if (options.migrate ?? true) await migrateOnce(options, timeoutMs);
  const pool = openPool(options, { max: poolSize, connectTimeoutMs: timeoutMs, answerTimeoutMs: timeoutMs });
  const jobsPool = openPool(options, { max: 3, connectTimeoutMs: timeoutMs, answerTimeoutMs: longTimeoutMs });
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: discardingBroken(pool) }),
    plugins: [new StorableText()],
  });
  const closePools = () => Promise.all([pool.end(), jobsPool.end()]);
  let notices: ListeningNotices | RedisNotices;
  try {
    notices = await openNotices(options, db, timeoutMs);
  } catch (error) {
    await closePools();
    throw error;
  }
  return {
    kind: "postgres",
    db,
    executeSql: (text, values) => executeSql(jobsPool, text, values),
    notices,
    ...("health" in notices && { redisHealth: notices.health }),
    async close() {
      await notices.close();
      await closePools();
    },
  };
}

async function openNotices(
  { url, redisUrl, log, clock = systemClock }: PostgresOptions,
  db: Kysely<Tables>,
  timeoutMs: number,
): Promise<ListeningNotices | RedisNotices> {
  if (redisUrl !== undefined) {
    const { openRedisNotices } = await import("./notices-redis.ts");
    return openRedisNotices({ url: redisUrl, db, log, clock, timeoutMs });
  }
  return postgresNotices({
    url,
    log,
    clock,
    timeoutMs,
    async notify(channel, text) {
      await sql`select pg_notify(${channel}, ${text})`.execute(db);
    },
  });
}

/** Over a connection of its own: a replica that waits for another's migration must not run into the short time-out. */
async function migrateOnce(options: PostgresOptions, connectTimeoutMs: number): Promise<void> {
  const pool = openPool(options, { max: 1, connectTimeoutMs, answerTimeoutMs: longTimeoutMs });
  try {
    await migrate(new Kysely({ dialect: new PostgresDialect({ pool: discardingBroken(pool) }) }));
  } finally {
    await pool.end();
  }
}

interface PoolLimits {
  readonly max: number;
  readonly connectTimeoutMs: number;
  readonly answerTimeoutMs: number;
}

function openPool({ url, log }: PostgresOptions, limits: PoolLimits): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "parley",
    max: limits.max,
    connectionTimeoutMillis: limits.connectTimeoutMs,
    // PostgreSQL gives up first, which keeps the connection; the client's own limit is for when it cannot be heard.
    statement_timeout: Math.round(limits.answerTimeoutMs * 0.9),
    query_timeout: limits.answerTimeoutMs,
    keepAlive: true,
    types,
  });
  // Without these listeners a lost connection ends the process: the pool listens while a connection is idle, a query while
  // it runs, and nobody in between. The pool replaces it, and the query on it, if any, rejects.
  pool.on("error", (error) =>
    log.warn({ err: toStorageError(error) }, "lost an idle connection to PostgreSQL"),
  );
  pool.on("connect", (client) => {
    client.on("error", (error) =>
      log.debug({ err: toStorageError(error) }, "lost a connection to PostgreSQL"),
    );
  });
  return pool;
}

/** int8 as a number: all of ours (samples, milliseconds) are far below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid, format): (value: string) => unknown {
    if (oid === pg.types.builtins.INT8) return Number;
    return pg.types.getTypeParser(oid, format) as (value: string) => unknown;
  },
};

/** `pg` would hand a connection out again whose last query was never answered; this one closes it. */
function discardingBroken(pool: pg.Pool): PostgresPool {
  return {
    options: pool.options,
    async connect() {
      const client = await pool.connect();
      let broken = false;
      return {
        async query(sql: string, parameters: readonly unknown[]) {
          try {
            return await client.query(sql, [...parameters]);
          } catch (error) {
            // A DatabaseError is PostgreSQL's answer: then the connection is sound.
            broken ||= !(error instanceof pg.DatabaseError);
            throw error;
          }
        },
        release: (destroy?: boolean) => client.release(destroy === true || broken),
      } as unknown as PostgresPoolClient;
    },
    end: () => pool.end(),
  };
}

async function executeSql(pool: pg.Pool, text: string, values?: unknown[]): Promise<SqlResult> {
  const client = await pool.connect();
  let failed = true;
  try {
    const result = await client.query(text, values);
    failed = false;
    return Array.isArray(result) ? allRows(result as SqlResult[]) : result;
  } finally {
    // A text of several statements that fails half-way leaves its transaction open.
    client.release(failed);
  }
}
