/** The log before its database: what is recorded is written once, in order, whatever the database does meanwhile. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStorage } from "../../../src/storage/open-storage.ts";
import type { Storage } from "../../../src/storage/open-storage.ts";
import type { AuditEvent } from "../../../src/token/audit/audit-event.ts";
import { AuditLog } from "../../../src/token/audit/audit-log.ts";
import type { AuditLogOptions } from "../../../src/token/audit/audit-log.ts";
import type { AuditStore } from "../../../src/token/audit/audit-store.ts";
import { verifyChain } from "../../../src/token/audit/verify-chain.ts";
import { createManualClock, settle } from "../../fakes/manual-clock.ts";
import type { ManualClock } from "../../fakes/manual-clock.ts";
import { silentLog } from "../../storage/silent-log.ts";
import { entry } from "./make-chain.ts";

const dayMs = 86_400_000;
const away = new Error("the database is away");

let storage: Storage;
let clock: ManualClock;
let problems: string[];
let logs: AuditLog[];
beforeAll(async () => void (storage = await openStorage({ dataDir: "memory:", log: silentLog })));
afterAll(() => storage.close());
beforeEach(async () => {
  clock = createManualClock();
  problems = [];
  logs = [];
  await storage.jobsDatabase.executeSql(
    "alter table audit_events disable trigger user; delete from audit_events; " +
      "alter table audit_events enable trigger user; " +
      "update audit_head set sequence = 0, hash = decode(repeat('00', 32), 'hex')",
  );
});
afterEach(async () => {
  const stopping = logs.map((log) => log.stop(0));
  await clock.advance(0);
  await Promise.all(stopping);
});

function startLog(options: Partial<AuditLogOptions> = {}): AuditLog {
  const log = new AuditLog({
    store: storage.audit,
    clock,
    onProblem: (message) => void problems.push(message),
    ...options,
  });
  logs.push(log);
  return log;
}

/** The real store, with what happens at each `append` from outside: before it, or after it was committed. */
function stumblingStore(): AuditStore & { before: () => unknown; after: () => unknown; appends: number } {
  const store = {
    ...storage.audit,
    appends: 0,
    before: (): unknown => undefined,
    after: (): unknown => undefined,
    async append(...args: Parameters<AuditStore["append"]>) {
      store.appends += 1;
      await store.before();
      await storage.audit.append(...args);
      await store.after();
    },
  };
  return store;
}

const fail = () => Promise.reject(away);

async function events(): Promise<readonly AuditEvent[]> {
  const { items } = await storage.audit.list({}, { size: 10_000 });
  expect((await verifyChain(items)).faults).toEqual([]);
  return items;
}
const subjects = async () => (await events()).map(({ subject }) => subject);
const numbers = (length: number) => Array.from({ length }, (_, index) => String(index));

describe("events", () => {
  test("are written together, a moment after the first of them", async () => {
    const store = stumblingStore();
    const log = startLog({ store });
    for (const subject of ["a", "b", "c"]) log.record(entry(subject));
    await clock.advance(99);
    expect(await events()).toEqual([]);
    await clock.advance(1);
    await expect.poll(subjects).toEqual(["a", "b", "c"]);
    expect(store.appends).toBe(1);
  });

  test("have the time at which they were recorded, not that at which they were written", async () => {
    const log = startLog();
    log.record(entry("a"));
    const atMs = clock.now();
    await clock.advance(50);
    await log.flush();
    expect(await events()).toMatchObject([{ ...entry("a"), createTime: new Date(atMs) }]);
  });

  test("that come while others are written go next, and in their order", async () => {
    const store = stumblingStore();
    const log = startLog({ store });
    const { promise: opened, resolve: open } = Promise.withResolvers<undefined>();
    store.before = () => opened;
    log.record(entry("0"));
    await clock.advance(100);
    for (const number of numbers(250).slice(1)) log.record(entry(number));
    open(undefined);
    await log.flush();
    expect(await subjects()).toEqual(numbers(250));
    expect(store.appends).toBe(4);
  });

  test("of two replicas are one chain", async () => {
    const two = [startLog(), startLog()];
    for (const number of numbers(150)) for (const log of two) log.record(entry(number));
    await Promise.all(two.map((log) => log.flush()));
    expect(await events()).toHaveLength(300);
  });

  test("leave no timer when there is nothing to write", async () => {
    const log = startLog();
    log.record(entry("a"));
    await log.flush();
    expect(clock.pending()).toBe(0);
  });
});

describe("flush", () => {
  test("writes at once, and resolves when all until now is in the database", async () => {
    const log = startLog();
    for (const number of numbers(120)) log.record(entry(number));
    await log.flush();
    expect(await events()).toHaveLength(120);
  });

  test("of nothing does nothing", async () => {
    const store = stumblingStore();
    await startLog({ store }).flush();
    expect(store.appends).toBe(0);
  });

  test("by many at once shares their writes", async () => {
    const store = stumblingStore();
    const log = startLog({ store });
    await Promise.all(
      numbers(50).map((number) => {
        log.record(entry(number));
        return log.flush();
      }),
    );
    expect(await events()).toHaveLength(50);
    expect(store.appends).toBeLessThan(5);
  });

  test("does not wait for what is recorded after it", async () => {
    const store = stumblingStore();
    const log = startLog({ store });
    log.record(entry("a"));
    store.after = () => {
      log.record(entry("b"));
      store.before = fail;
    };
    await log.flush();
    expect(await subjects()).toEqual(["a"]);
  });

  test("rejects with what the database says, and the events are kept", async () => {
    const store = stumblingStore();
    const log = startLog({ store });
    store.before = fail;
    log.record(entry("a"));
    await expect(log.flush()).rejects.toBe(away);
    store.before = () => undefined;
    await log.flush();
    expect(await subjects()).toEqual(["a"]);
  });
});

describe("while the database is away", () => {
  test("events are kept, and tried again ever more seldom; the operator is told once", async () => {
    const store = stumblingStore();
    const log = startLog({ store });
    store.before = fail;
    log.record(entry("0"));
    const waits = [100, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
    for (const [tries, ms] of waits.entries()) {
      await clock.advance(ms - 1);
      expect(store.appends).toBe(tries);
      await clock.advance(1);
      expect(store.appends).toBe(tries + 1);
      log.record(entry(String(tries + 1)));
    }
    expect(problems).toEqual(["audit events cannot be written; they are kept, and tried again"]);
    store.before = () => undefined;
    await clock.advance(30_000);
    await expect.poll(subjects).toContain("0");
    await clock.advance(100);
    await expect.poll(subjects).toEqual(numbers(11));
  });

  test("and again later, the operator is told again, and the first retry is soon", async () => {
    const store = stumblingStore();
    const log = startLog({ store });
    for (const subject of ["a", "b"]) {
      store.before = fail;
      log.record(entry(subject));
      await expect(log.flush()).rejects.toBe(away);
      store.before = () => undefined;
      await clock.advance(250);
      await expect.poll(subjects).toContain(subject);
    }
    expect(problems).toHaveLength(2);
  });

  test("what it committed without an answer is not written twice", async () => {
    const store = stumblingStore();
    const log = startLog({ store });
    store.after = fail;
    for (const subject of ["a", "b"]) log.record(entry(subject));
    await expect(log.flush()).rejects.toBe(away);
    log.record(entry("c"));
    await startLog().flush();
    const replica = startLog();
    replica.record(entry("of another replica"));
    await replica.flush();
    await expect(log.flush()).rejects.toBe(away); // looks, and is not answered either
    store.after = () => undefined;
    await log.flush();
    expect(await subjects()).toEqual(["a", "b", "of another replica", "c"]);
  });

  test("what there is no room for is counted, and the log says how many were lost, and when", async () => {
    const store = stumblingStore();
    const log = startLog({ store, maxQueued: 4 });
    store.before = fail;
    for (const number of numbers(3)) log.record(entry(number));
    await expect(log.flush()).rejects.toBe(away);
    log.record(entry("3"));
    const fromMs = clock.now();
    log.record(entry("lost"));
    await clock.advance(50);
    log.record(entry("lost too"));
    await expect(log.flush()).rejects.toBe(away);
    store.before = () => undefined;
    await expect(log.flush()).rejects.toMatchObject({ name: "AuditLostError", code: "lost" });
    log.record(entry("later"));
    await log.flush();
    const times = `from=${new Date(fromMs).toISOString()} to=${new Date(fromMs + 50).toISOString()}`;
    expect(await subjects()).toEqual([...numbers(4), `events=2 ${times}`, "later"]);
    expect((await events())[4]).toMatchObject({ actor: "server", action: "audit.lost", peerAddress: "" });
    expect(problems).toHaveLength(2);
  });

  test("nobody who records waits or fails, ten thousand events and more", async () => {
    const store = stumblingStore();
    const log = startLog({ store });
    store.before = fail;
    for (let number = 0; number < 12_000; number++) log.record(entry(String(number)));
    await expect(log.flush()).rejects.toBe(away);
    store.before = () => undefined;
    await log.flush().catch(() => undefined);
    await log.flush();
    const written = await storage.audit.head();
    expect(written.sequence).toBe(10_001);
  });
});

describe("stop", () => {
  test("writes what is left", async () => {
    const log = startLog();
    for (const number of numbers(250)) log.record(entry(number));
    await log.stop(1000);
    expect(await events()).toHaveLength(250);
    expect(problems).toEqual([]);
    expect(clock.pending()).toBe(0);
  });

  test("waits for a database that comes back in time", async () => {
    const store = stumblingStore();
    const log = startLog({ store });
    store.before = fail;
    log.record(entry("a"));
    const stopped = log.stop(1000);
    await clock.advance(500);
    store.before = () => undefined;
    await clock.advance(250);
    await stopped;
    expect(await subjects()).toEqual(["a"]);
    expect(problems).toHaveLength(1);
  });

  test.each([
    ["is away", fail],
    ["hangs", () => new Promise(() => undefined)],
  ])("gives up on a database that %s, and says how many events that takes", async (_, before) => {
    const store = stumblingStore();
    const log = startLog({ store, maxQueued: 2 });
    store.before = before;
    for (const number of numbers(5)) log.record(entry(number));
    let isStopped = false;
    const stopped = log.stop(1000).then(() => (isStopped = true));
    await clock.advance(999);
    expect(isStopped).toBe(false);
    await clock.advance(1);
    await stopped;
    expect(problems.at(-1)).toBe("the server stops, and 5 audit events could not be written");
    await settle();
    expect(clock.pending()).toBe(0);
  });

  test("is not the end of what the operator is told", async () => {
    const log = startLog();
    await log.stop(1000);
    log.record(entry("a", { action: "token.create" }));
    expect(problems).toEqual(["the server stops, and an audit event came too late: token.create"]);
  });
});

describe("retention", () => {
  const recordAt = async (subject: string, ageMs: number) => {
    const past = startLog({ clock: createManualClock(clock.now() - ageMs) });
    past.record(entry(subject));
    await past.flush();
  };

  test("removes at start what is older than so many days, and says so in the log", async () => {
    const log = startLog({ retentionDays: 30 });
    await recordAt("old", 30 * dayMs + 1);
    await recordAt("just not", 30 * dayMs);
    log.start();
    await expect.poll(subjects).toEqual(["just not", expect.stringMatching(/^through=1:[0-9a-f]{64}$/)]);
    expect((await events())[1]).toMatchObject({
      actor: "server",
      action: "audit.prune",
      createTime: new Date(clock.now()),
    });
  });

  test("removes every hour what has become too old", async () => {
    const log = startLog({ retentionDays: 30 });
    log.start();
    await expect.poll(() => clock.pending()).toBe(1);
    await recordAt("a", 30 * dayMs - 7_200_000 + 1);
    await clock.advance(3_600_000);
    await expect.poll(() => clock.pending()).toBe(1);
    expect(await subjects()).toEqual(["a"]);
    await clock.advance(3_600_000);
    await expect.poll(subjects).toEqual([expect.stringMatching(/^through=1:/)]);
  });

  test("goes on until nothing is too old, a number at a time", async () => {
    const past = startLog({ clock: createManualClock(clock.now() - 2 * dayMs) });
    for (const number of numbers(1500)) past.record(entry(number));
    await past.flush();
    startLog({ retentionDays: 1 }).start();
    await expect
      .poll(subjects)
      .toEqual([expect.stringMatching(/^through=1000:/), expect.stringMatching(/^through=1500:/)]);
  });

  test("that fails is told, and tried again an hour later", async () => {
    let isAway = true;
    const store: AuditStore = {
      ...storage.audit,
      prune: (request) => (isAway ? Promise.reject(away) : storage.audit.prune(request)),
    };
    const log = startLog({ store, retentionDays: 1 });
    await recordAt("old", 2 * dayMs);
    log.start();
    await settle();
    expect(problems).toEqual(["audit events that are too old cannot be removed; trying again in an hour"]);
    isAway = false;
    await clock.advance(3_600_000);
    await expect.poll(subjects).toEqual([expect.stringMatching(/^through=1:/)]);
  });

  test("is not, unless it is asked for", async () => {
    const log = startLog();
    await recordAt("old", 36_500 * dayMs);
    log.start();
    await clock.advance(3_600_000);
    expect(await subjects()).toEqual(["old"]);
    expect(clock.pending()).toBe(0);
  });

  test("ends with the log, after what is being removed", async () => {
    const { promise: until, resolve: go } = Promise.withResolvers<undefined>();
    const store: AuditStore = { ...storage.audit, prune: () => until.then(() => 1000) };
    const log = startLog({ store, retentionDays: 1 });
    log.start();
    let isStopped = false;
    const stopped = log.stop(1000).then(() => (isStopped = true));
    await settle();
    expect(isStopped).toBe(false);
    go(undefined);
    await stopped;
    expect(clock.pending()).toBe(0);
  });

  test("waits for no next hour once the log has stopped", async () => {
    const log = startLog({ retentionDays: 1 });
    log.start();
    await expect.poll(() => clock.pending()).toBe(1);
    await log.stop(1000);
    expect(clock.pending()).toBe(0);
  });
});
