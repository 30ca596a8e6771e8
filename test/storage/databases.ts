/**
 * Both databases for a test file: a PGlite in memory and a real PostgreSQL, each made for the file and thrown away with
 * it. PostgreSQL is at TEST_DATABASE_URL, by default on this machine; where none answers, its half is skipped by name.
 */
import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe } from "vitest";
import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage, StorageOptions } from "../../src/storage/open-storage.ts";
import { silentLog } from "./silent-log.ts";

export { silentLog } from "./silent-log.ts";

const serverUrl = process.env["TEST_DATABASE_URL"] ?? "postgres://root@127.0.0.1:5432/postgres";

/** Undefined when PostgreSQL answers; else why it does not. */
export const postgresMissing: string | undefined = await onServer(() => Promise.resolve(undefined)).catch(
  (error: unknown) => (error instanceof Error ? error.message || error.name : "no answer"),
);

/** The same tests for each; `open` opens the file's database once more, and the test closes what it opened. */
export function forEachDatabase(
  tests: (
    name: "PGlite" | "PostgreSQL",
    open: (options?: Partial<StorageOptions>) => Promise<Storage>,
  ) => void,
): void {
  describe("on PGlite", () => {
    tests("PGlite", (options) => openStorage({ dataDir: "memory:", log: silentLog, ...options }));
  });
  describePostgres("on PostgreSQL", (url) => {
    tests("PostgreSQL", (options) =>
      openStorage({ url: url(), dataDir: "unused", log: silentLog, ...options }),
    );
  });
}

/** `url` may be called within tests and hooks. */
export function describePostgres(name: string, tests: (url: () => string) => void): void {
  const title =
    postgresMissing === undefined ? name : `${name} (skipped: no PostgreSQL here: ${postgresMissing})`;
  describe.skipIf(postgresMissing !== undefined)(title, () => {
    const database = `parley_test_${randomUUID().replaceAll("-", "")}`;
    beforeAll(() => onServer((client) => client.query(`create database ${database}`)));
    afterAll(() => onServer((client) => client.query(`drop database ${database} with (force)`)));
    tests(() => {
      const url = new URL(serverUrl);
      url.pathname = `/${database}`;
      return url.href;
    });
  });
}

async function onServer(work: (client: pg.Client) => Promise<unknown>): Promise<undefined> {
  const client = new pg.Client({ connectionString: serverUrl, connectionTimeoutMillis: 3000 });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
