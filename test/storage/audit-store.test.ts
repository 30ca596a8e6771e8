/** The audit log's tables, on both databases: one chain whoever writes, and no way to change it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage } from "../../src/storage/open-storage.ts";
import { chainStart } from "../../src/token/audit/audit-event.ts";
import type { AuditEvent, ChainLink } from "../../src/token/audit/audit-event.ts";
import type { AuditStore } from "../../src/token/audit/audit-store.ts";
import { linkEvent, linkEvents } from "../../src/token/audit/link-events.ts";
import { pruneEntry } from "../../src/token/audit/prune-event.ts";
import { toRecord } from "../../src/token/audit/to-record.ts";
import { verifyChain } from "../../src/token/audit/verify-chain.ts";
import { record, startMs } from "../token/audit/make-chain.ts";
import { describePostgres, forEachDatabase, silentLog } from "./databases.ts";

const append = (store: AuditStore, ...subjects: string[]) =>
  store.append((head) =>
    linkEvents(
      head,
      subjects.map((subject) => record(subject)),
    ),
  );

async function readAll(store: AuditStore, actor?: string): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  let after: string | undefined;
  do {
    const page = await store.list(actor === undefined ? {} : { actor }, { size: 3, ...(after && { after }) });
    events.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return events;
}

const pruneBefore = (store: AuditStore, beforeMs: number, limit = 100) =>
  store.prune({
    before: new Date(beforeMs),
    limit,
    seal: (head, pruned) => linkEvent(head, toRecord(pruneEntry(pruned), startMs + 1_000_000)),
  });

forEachDatabase((_name, open) => {
  let storage: Storage;
  let audit: AuditStore;
  const sql = (text: string) => storage.jobsDatabase.executeSql(text);
  /** As somebody with every right does it. */
  const tamper = (text: string) =>
    sql(
      `alter table audit_events disable trigger user; ${text}; alter table audit_events enable trigger user`,
    );
  beforeAll(async () => {
    storage = await open();
    ({ audit } = storage);
  });
  beforeEach(async () => {
    await tamper(
      "delete from audit_events; update audit_head set sequence = 0, hash = decode(repeat('00', 32), 'hex')",
    );
  });
  afterAll(() => storage.close());

  describe("appended events", () => {
    test("come back as they were, in one chain with those before", async () => {
      expect(await audit.head()).toEqual(chainStart);
      const first = linkEvents(chainStart, [
        record("a\u0001 \u{1F399} \\ \" '", { actor: "user:zoë", peerAddress: "" }, startMs + 1),
        record("", { outcome: "permission_denied" }, 1),
      ]);
      await audit.append(() => first);
      let given: ChainLink | undefined;
      let second: AuditEvent[] = [];
      await audit.append((head) => {
        given = head;
        return (second = linkEvents(head, [record("b")]));
      });
      expect(given).toEqual({ sequence: 2, hash: first[1]!.hash });
      expect(await readAll(audit)).toEqual([...first, ...second]);
      expect(await audit.head()).toEqual({ sequence: 3, hash: second[0]!.hash });
      expect((await verifyChain(await readAll(audit))).faults).toEqual([]);
    });

    test("whatever their texts, fit the hashes that were computed before", async () => {
      const texts = [
        "\0",
        "\uD800",
        "\uDFFFx",
        "a\u0000b",
        "\uFFFD",
        "\u{10FFFF}",
        "\r\n\t",
        "e\u0301\u00e9",
        "x".repeat(5000),
      ];
      await append(audit, ...texts);
      expect((await verifyChain(await readAll(audit))).faults).toEqual([]);
    });

    test("none leaves all as it is", async () => {
      await append(audit, "a");
      await audit.append(() => []);
      expect((await audit.head()).sequence).toBe(1);
    });

    test("are all there, or none", async () => {
      await append(audit, "a");
      const half = audit.append((head) => {
        const [first, second] = linkEvents(head, [record("b"), record("c")]);
        return [first!, { ...second!, sequence: 1 }];
      });
      await expect(half).rejects.toMatchObject({ name: "StorageError", code: "conflict" });
      await expect(
        audit.append(() => {
          throw new Error("stop");
        }),
      ).rejects.toMatchObject({ code: "internal" });
      expect((await readAll(audit)).map(({ subject }) => subject)).toEqual(["a"]);
      await append(audit, "d");
      expect((await verifyChain(await readAll(audit))).faults).toEqual([]);
    });

    test("are not added again when the attempt before was committed", async () => {
      let attempted: AuditEvent[] = [];
      await audit.append((head) => (attempted = linkEvents(head, [record("a"), record("b")])));
      await append(audit, "of another replica");
      await audit.append(() => expect.unreachable("they are there"), attempted[1]);
      expect(await readAll(audit)).toHaveLength(3);
    });

    test("are added when the attempt before was not, though others took their places", async () => {
      const attempted = linkEvents(chainStart, [record("a"), record("b")]);
      await append(audit, "of another replica", "of another replica");
      await audit.append((head) => linkEvents(head, attempted), attempted[1]);
      expect((await readAll(audit)).map(({ subject }) => subject)).toEqual([
        "of another replica",
        "of another replica",
        "a",
        "b",
      ]);
      expect((await verifyChain(await readAll(audit))).faults).toEqual([]);
    });

    test("of many writers at once are one chain", async () => {
      const writers = Array.from({ length: 8 }, (_, writer) => writer);
      await Promise.all(
        writers.map(async (writer) => {
          for (let time = 0; time < 5; time++) await append(audit, `${writer}-${time}`, `${writer}-${time}+`);
        }),
      );
      const events = await readAll(audit);
      expect(await verifyChain(events)).toMatchObject({ count: 80, head: { sequence: 80 }, faults: [] });
      for (const writer of writers) {
        const own = events
          .map(({ subject }) => subject)
          .filter((subject) => subject.startsWith(`${writer}-`));
        expect(own).toEqual([0, 1, 2, 3, 4].flatMap((time) => [`${writer}-${time}`, `${writer}-${time}+`]));
      }
    });
  });

  describe("the table", () => {
    test.each([
      ["update audit_events set outcome = 'ok' where sequence = 1"],
      ["update audit_events set outcome = 'ok' where false"],
      ["delete from audit_events where sequence = 1"],
      ["delete from audit_events"],
      ["truncate audit_events"],
      [
        "begin; select set_config('parley.audit_prune_through', '1', true); delete from audit_events where sequence = 2; commit",
      ],
      ["begin; select set_config('parley.audit_prune_through', '', true); delete from audit_events; commit"],
      [
        "begin; select set_config('parley.audit_prune_through', '9', true); update audit_events set outcome = ''; commit",
      ],
      ["begin; select set_config('parley.audit_prune_through', '9', true); truncate audit_events; commit"],
    ])("refuses: %s", async (text) => {
      await append(audit, "a", "b");
      const before = await readAll(audit);
      await expect(sql(text)).rejects.toMatchObject({
        code: "internal",
        cause: { message: "SQLSTATE 23001" },
      });
      expect(await readAll(audit)).toEqual(before);
    });

    test("that was changed by its owner all the same does not verify", async () => {
      await append(audit, "a", "b", "c");
      await tamper("update audit_events set outcome = 'permission_denied' where sequence = 2");
      expect((await verifyChain(await readAll(audit))).faults).toEqual([{ kind: "changed", sequence: 2 }]);
    });

    test("whose end was taken away shows it by the next event, and by the head", async () => {
      await append(audit, "a", "b", "c");
      await tamper("delete from audit_events where sequence > 1");
      const noted = [await audit.head()];
      expect((await verifyChain(await readAll(audit), { noted })).faults).toEqual([
        { kind: "cut", sequence: 3, headSequence: 1 },
      ]);
      await append(audit, "d");
      expect((await verifyChain(await readAll(audit))).faults).toEqual([
        { kind: "missing", sequence: 2, throughSequence: 3 },
      ]);
    });
  });

  describe("pruning", () => {
    const appendAt = (...atMs: number[]) =>
      audit.append((head) =>
        linkEvents(
          head,
          atMs.map((ms) => record(String(ms), {}, startMs + ms)),
        ),
      );

    test("removes what is older than so much, and the log says it, in a chain that is whole", async () => {
      await appendAt(0, 1, 2, 3);
      expect(await pruneBefore(audit, startMs + 2)).toBe(2);
      const events = await readAll(audit);
      expect(events.map(({ sequence }) => sequence)).toEqual([3, 4, 5]);
      expect(await verifyChain(events, { noted: [await audit.head()] })).toMatchObject({
        prunedThrough: 2,
        faults: [],
      });
      await appendAt(4);
      expect(await pruneBefore(audit, startMs + 4)).toBe(2);
      expect(await verifyChain(await readAll(audit))).toMatchObject({
        count: 3,
        prunedThrough: 4,
        faults: [],
      });
    });

    test("that finds nothing changes nothing", async () => {
      expect(await pruneBefore(audit, startMs + 99)).toBe(0);
      await appendAt(0, 1);
      expect(await pruneBefore(audit, startMs)).toBe(0);
      expect((await audit.head()).sequence).toBe(2);
    });

    test("takes away all that is there, and leaves the event that says so", async () => {
      await appendAt(0, 1);
      expect(await pruneBefore(audit, startMs + 2)).toBe(2);
      expect(await verifyChain(await readAll(audit))).toMatchObject({
        count: 1,
        prunedThrough: 2,
        faults: [],
      });
    });

    test("goes no further than its limit, and than the first event that is not too old", async () => {
      await appendAt(0, 1, 9, 2, 3);
      expect(await pruneBefore(audit, startMs + 5, 1)).toBe(1);
      expect(await pruneBefore(audit, startMs + 5)).toBe(1);
      expect(await pruneBefore(audit, startMs + 5)).toBe(0);
      expect(await verifyChain(await readAll(audit))).toMatchObject({ prunedThrough: 2, faults: [] });
    });

    test("and writers at once leave one chain", async () => {
      await appendAt(...Array.from({ length: 20 }, (_, ms) => ms));
      await Promise.all([
        ...Array.from({ length: 5 }, (_, nth) => append(audit, `new-${nth}`)),
        ...Array.from({ length: 5 }, () => pruneBefore(audit, startMs + 20, 4)),
      ]);
      expect(await verifyChain(await readAll(audit))).toMatchObject({ prunedThrough: 20, faults: [] });
    });

    test("that fails removes nothing", async () => {
      await appendAt(0, 1);
      const failing = audit.prune({
        before: new Date(startMs + 1),
        limit: 9,
        seal: () => {
          throw new Error("stop");
        },
      });
      await expect(failing).rejects.toThrow();
      expect(await verifyChain(await readAll(audit))).toMatchObject({ count: 2, faults: [] });
    });
  });

  describe("a list", () => {
    test("is oldest first, without a gap or a repetition, while events are added", async () => {
      await append(audit, "0", "1", "2", "3");
      const first = await audit.list({}, { size: 2 });
      await append(audit, "4");
      const rest = await audit.list({}, { size: 3, after: first.next! });
      expect([...first.items, ...rest.items].map(({ subject }) => subject)).toEqual([
        "0",
        "1",
        "2",
        "3",
        "4",
      ]);
      expect(rest.next).toBeUndefined();
    });

    test("of one actor has no other's", async () => {
      const actors = ["user:ada", "user:eve", "user:ada", "user:ad"];
      await audit.append((head) =>
        linkEvents(
          head,
          actors.map((actor, index) => record(String(index), { actor })),
        ),
      );
      expect((await readAll(audit, "user:ada")).map(({ subject }) => subject)).toEqual(["0", "2"]);
      expect(await readAll(audit, "user:nobody")).toEqual([]);
    });

    const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    test.each([
      ["empty", ""],
      ["no base64url", "%%%"],
      ["no JSON", Buffer.from("nonsense").toString("base64url")],
      ["null", text(null)],
      ["of another list", text(["api-keys", 1])],
      ["of a list by time", text(["audit", 0, "id"])],
      ["short", text(["audit"])],
      ["a number that is none", text(["audit", "1"])],
      ["half a number", text(["audit", 1.5])],
      ["a number out of range", text(["audit", 1e300])],
    ])("refuses a bad page token: %s", async (_what, after) => {
      await expect(audit.list({}, { size: 1, after })).rejects.toMatchObject({ code: "bad-page-token" });
    });
  });
});

describePostgres("two replicas on one PostgreSQL", (url) => {
  test("that append, and prune, at the same time keep one chain", async () => {
    const storages = await Promise.all(
      [1, 2].map(() => openStorage({ url: url(), dataDir: "unused", log: silentLog })),
    );
    await Promise.all(
      storages.flatMap((storage, replica) =>
        Array.from({ length: 3 }, async (_, writer) => {
          for (let time = 0; time < 10; time++)
            await append(storage.audit, `${replica}-${writer}-${time}`, "x");
          await pruneBefore(storage.audit, startMs + 1, 20);
        }),
      ),
    );
    const events = await readAll(storages[0]!.audit);
    const { prunedThrough = 0, count, faults } = await verifyChain(events);
    const seals = events.filter(({ action }) => action === "audit.prune").length;
    expect({ faults, written: prunedThrough + count }).toEqual({ faults: [], written: 120 + seals });
    expect(prunedThrough).toBeGreaterThanOrEqual(20);
    expect(await storages[1]!.audit.head()).toMatchObject({ sequence: events.at(-1)!.sequence });
    await Promise.all(storages.map((storage) => storage.close()));
  });
});
