/**
 * A PostgreSQL database of its own for a run, and a hand on it: commits can be held back, so that the server dies while
 * one is under way; the database then finishes it for a client that is no longer there, or undoes it.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

export interface ScratchDatabase {
  readonly url: string;
  /** Holds back every commit of an active session until `release`. */
  holdCommits(): Promise<HeldCommits>;
  drop(): Promise<void>;
}

export interface HeldCommits {
  /** Resolves with whether a commit waits by then. */
  untilOneWaits(timeoutMs: number): Promise<boolean>;
  /** Lets them finish. */
  release(): Promise<void>;
  /** Undoes those that wait. */
  undo(): Promise<void>;
}

const isHeld = "datname = current_database() and wait_event_type = 'Lock' and query like '%into segments%'";
const serverUrl = process.env["TEST_DATABASE_URL"] ?? "postgres://root@127.0.0.1:5432/postgres";

/** Undefined when PostgreSQL answers; else why it does not. */
export async function postgresMissing(): Promise<string | undefined> {
  try {
    await withClient(serverUrl, (client) => client.query("select 1"));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message || error.name : "no answer";
  }
}

export async function createScratchDatabase(): Promise<ScratchDatabase> {
  const name = `parley_chaos_${randomUUID().replaceAll("-", "")}`;
  await withClient(serverUrl, (client) => client.query(`create database ${name}`));
  const at = new URL(serverUrl);
  at.pathname = `/${name}`;
  const url = at.href;
  return {
    url,
    async holdCommits() {
      const holder = await connect(url);
      await holder.query("begin");
      await holder.query("select from sessions where state = 'active' for update");
      const release = async () => {
        await holder.query("rollback");
        await holder.end();
      };
      return {
        async untilOneWaits(timeoutMs) {
          const giveUpAt = performance.now() + timeoutMs;
          while (performance.now() < giveUpAt) {
            const { rows } = await holder.query<{ waiting: number }>(
              `select count(*)::int4 as waiting from pg_stat_activity where ${isHeld}`,
            );
            if ((rows[0]?.waiting ?? 0) > 0) return true;
            await sleep(5);
          }
          return false;
        },
        release,
        async undo() {
          await holder.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${isHeld}`);
          await release();
        },
      };
    },
    async drop() {
      await withClient(serverUrl, (client) => client.query(`drop database ${name} with (force)`));
    },
  };
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 3_000 });
  await client.connect();
  return client;
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(url);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
