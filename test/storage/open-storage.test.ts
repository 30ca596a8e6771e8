/** Opening: migrations once however many open, SQL for jobs, and errors that tell no value. */
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage } from "../../src/storage/open-storage.ts";
import { describePostgres, forEachDatabase, silentLog } from "./databases.ts";
import { session } from "./samples.ts";

forEachDatabase((name, open) => {
  let storage: Storage;
  beforeAll(async () => void (storage = await open()));
  afterAll(() => storage.close());

  test("says what it is, and that it is ready", async () => {
    const kind = name === "PGlite" ? "pglite" : "postgres";
    expect(storage.kind).toBe(kind);
    expect(await storage.health()).toEqual({ ready: true, detail: kind });
  });

  describe("SQL for jobs", () => {
    const run = (text: string, values?: unknown[]) => storage.jobsDatabase.executeSql(text, values);

    test("takes values, or several statements, whose rows it joins", async () => {
      expect((await run("select $1::int + 1 as n", [1])).rows).toEqual([{ n: 2 }]);
      expect((await run("begin; select 1 as n; commit; select 2 as n")).rows).toEqual([{ n: 1 }, { n: 2 }]);
    });

    test("a transaction that fails half-way is undone and disturbs nobody", async () => {
      await run("create table half (n int)");
      const failing = run("begin; insert into half values (1); select 1 / 0; commit");
      const others = ["a", "b", "c"].map((id) => storage.sessions.create(session(`beside-${id}`)));
      await expect(failing).rejects.toMatchObject({ code: "internal" });
      await Promise.all(others);
      expect((await run("select * from half")).rows).toEqual([]);
      expect((await storage.sessions.list({}, { size: 10 })).items).toHaveLength(3);
    });
  });

  test("an error repeats no value, neither in its message nor in its cause", async () => {
    const secret = "a-very-secret-word";
    await storage.sessions.create(session(secret));
    const errors = await Promise.all([
      storage.sessions.create(session(secret)).catch((error: unknown) => error),
      storage.jobsDatabase.executeSql("select $1::int", [secret]).catch((error: unknown) => error),
    ]);
    for (const error of errors) {
      expect(error).toMatchObject({ name: "StorageError" });
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
    }
  });
});

describePostgres("several replicas", (url) => {
  test("may open an empty database at the same time, and again later", async () => {
    const open = () => openStorage({ url: url(), dataDir: "unused", log: silentLog, poolSize: 2 });
    const replicas = await Promise.all([open(), open(), open()]);
    await replicas[0].sessions.create(session("shared"));
    expect(await replicas[2].sessions.get("shared")).toBeDefined();
    await Promise.all(replicas.map((replica) => replica.close()));
    const again = await open();
    expect(await again.sessions.get("shared")).toBeDefined();
    await again.close();
  });
});

describePostgres("a wrong URL", (url) => {
  const open = (change: (url: URL) => void) => {
    const wrong = new URL(url());
    change(wrong);
    return openStorage({ url: wrong.href, dataDir: "unused", log: silentLog });
  };

  test("where nothing listens is unavailable", async () => {
    const opening = open((wrong) => (wrong.port = "1"));
    await expect(opening).rejects.toMatchObject({ code: "unavailable", retryable: true });
  });

  test("of a database that is not there is not worth a retry", async () => {
    const opening = open((wrong) => (wrong.pathname = "/parley_no_such_database"));
    await expect(opening).rejects.toMatchObject({ code: "internal", retryable: false });
  });
});
