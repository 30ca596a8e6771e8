/** PostgreSQL that goes away, hangs, restarts or is full: `unavailable` while it lasts, and nothing lost after. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage } from "../../src/storage/open-storage.ts";
import { startTcpProxy } from "../fakes/tcp-proxy.ts";
import type { TcpProxy } from "../fakes/tcp-proxy.ts";
import { describePostgres, silentLog } from "./databases.ts";
import { segment, session } from "./samples.ts";

const unavailable = { name: "StorageError", code: "unavailable", retryable: true };

describePostgres("a PostgreSQL that fails", (url) => {
  let proxy: TcpProxy;
  let storage: Storage;
  const throughProxy = (options: { timeoutMs?: number; poolSize?: number } = {}) => {
    const target = new URL(url());
    target.port = String(proxy.port);
    return openStorage({ url: target.href, dataDir: "unused", log: silentLog, timeoutMs: 500, ...options });
  };
  beforeAll(async () => {
    const target = new URL(url());
    proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port || 5432) });
    storage = await throughProxy();
  });
  beforeEach(() => proxy.resume());
  afterAll(async () => {
    await proxy.resume();
    await storage.close();
    await proxy.close();
  });

  /** As a session does: the same commit until it is taken. */
  async function commitUntilTaken(sessionId: string, index: number): Promise<number> {
    for (let failures = 0; ; failures++) {
      try {
        const commit = { segments: [segment(index)], committedThrough: (index + 1) * 16_000 };
        await storage.sessions.commit(sessionId, 1, commit);
        return failures;
      } catch (error) {
        expect(error).toMatchObject(unavailable);
      }
    }
  }

  test("is unavailable while it refuses connections, and loses nothing", async () => {
    await storage.sessions.create(session("refused"));
    await commitUntilTaken("refused", 0);
    await proxy.refuse();
    await expect(storage.sessions.get("refused")).rejects.toMatchObject(unavailable);
    expect(await storage.health()).toMatchObject({ ready: false });
    await expect(throughProxy()).rejects.toMatchObject(unavailable);
    await proxy.resume();
    await commitUntilTaken("refused", 1);
    expect(await storage.sessions.segments("refused")).toEqual([segment(0), segment(1)]);
    expect(await storage.health()).toEqual({ ready: true, detail: "postgres" });
  });

  test("that cuts connections in the middle of commits loses none that were taken", async () => {
    await storage.sessions.create(session("cut"));
    let failures = 0;
    for (let index = 0; index < 10; index++) {
      const taken = commitUntilTaken("cut", index);
      if (index % 2 === 0) proxy.cut();
      failures += await taken;
    }
    expect(failures).toBeGreaterThan(0);
    const indexes = Array.from({ length: 10 }, (_, index) => index);
    expect(await storage.sessions.segments("cut")).toEqual(indexes.map((index) => segment(index)));
  });

  test("that accepts and says nothing is unavailable after the time-out, and the pool is whole again", async () => {
    const small = await throughProxy({ poolSize: 2 });
    await small.sessions.create(session("stalled"));
    proxy.stall();
    const calls = Array.from({ length: 4 }, () => small.sessions.get("stalled"));
    for (const call of await Promise.allSettled(calls)) expect(call).toMatchObject({ reason: unavailable });
    // The stalled connections stay silent for ever; new ones work.
    await proxy.refuse();
    await proxy.resume();
    expect(await small.sessions.get("stalled")).toMatchObject({ sessionId: "stalled" });
    await small.close();
  });

  test("a statement that takes too long is unavailable, given up by PostgreSQL too, and its connection kept", async () => {
    await storage.sessions.create(session("locked-row"));
    const holder = storage.jobsDatabase.executeSql(
      "begin; update sessions set epoch = 1 where session_id = 'locked-row'; select pg_sleep(1.2); commit",
    );
    await expect
      .poll(async () => {
        const sleeping =
          "select 1 from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()";
        return (await storage.jobsDatabase.executeSql(sleeping)).rows.length;
      })
      .toBe(1);
    const before = proxy.connections();
    const waiting = storage.sessions.commit("locked-row", 1, { segments: [], committedThrough: 1 });
    await expect(waiting).rejects.toMatchObject(unavailable);
    await holder;
    expect(proxy.connections()).toBe(before);
    expect(await storage.sessions.get("locked-row")).toMatchObject({ committedThrough: 0 });
    await storage.sessions.commit("locked-row", 1, { segments: [], committedThrough: 1 });
  });

  test("ended by its administrator, it takes the next call on a new connection", async () => {
    await storage.sessions.create(session("killed"));
    const before = proxy.connections();
    await storage.jobsDatabase.executeSql(
      "select pg_terminate_backend(pid) from pg_stat_activity " +
        "where datname = current_database() and pid <> pg_backend_pid()",
    );
    await expect.poll(() => proxy.connections()).toBeLessThan(before);
    await commitUntilTaken("killed", 0);
    expect(await storage.sessions.segments("killed")).toHaveLength(1);
  });

  test("a closed storage is unavailable, and closing waits for what is under way", async () => {
    const closing = await throughProxy({ timeoutMs: 5000 });
    proxy.stall();
    const created = closing.sessions.create(session("last"));
    const closed = closing.close();
    await expect(closing.sessions.get("last")).rejects.toMatchObject({ code: "unavailable" });
    await proxy.resume();
    await created;
    await closed;
    await closing.close();
    expect(await storage.sessions.get("last")).toBeDefined();
  });
});
