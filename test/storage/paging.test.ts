/** Keyset paging of the lists, on both databases. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Storage } from "../../src/storage/open-storage.ts";
import { forEachDatabase } from "./databases.ts";
import { apiKey, interview, session } from "./samples.ts";

forEachDatabase((_name, open) => {
  let storage: Storage;
  beforeAll(async () => void (storage = await open()));
  afterAll(() => storage.close());

  /** Two sessions share each time, so that the id has to decide. */
  const create = (userId: string, number: number) =>
    storage.sessions.create(
      session(`${userId}-${number}`, { userId, createTime: new Date(Date.UTC(2026, 0, 1) + (number >> 1)) }),
    );

  test("pages are newest first, without a gap or a repetition, while sessions are added", async () => {
    for (let number = 0; number < 7; number++) await create("pages", number);
    const seen: string[] = [];
    let after: string | undefined;
    let added = 7;
    do {
      const page = await storage.sessions.list({ userId: "pages" }, { size: 3, ...(after && { after }) });
      seen.push(...page.items.map(({ sessionId }) => sessionId));
      after = page.next;
      await create("pages", added++);
    } while (after !== undefined);
    expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map((number) => `pages-${number}`));
  });

  test("a page that takes the last row says that it is the last", async () => {
    for (let number = 0; number < 4; number++) await create("exact", number);
    const first = await storage.sessions.list({ userId: "exact" }, { size: 2 });
    expect(first.next).toBeDefined();
    const last = await storage.sessions.list({ userId: "exact" }, { size: 2, after: first.next! });
    expect(last.items.map(({ sessionId }) => sessionId)).toEqual(["exact-1", "exact-0"]);
    expect(last.next).toBeUndefined();
    expect(await storage.sessions.list({ userId: "nobody" }, { size: 2 })).toEqual({ items: [] });
  });

  test("filters combine", async () => {
    await storage.sessions.create(session("f1", { userId: "filter-a", roomName: "filter-x" }));
    await storage.sessions.create(session("f2", { userId: "filter-a", roomName: "filter-y" }));
    await storage.sessions.create(session("f3", { userId: "filter-b", roomName: "filter-x" }));
    const ids = async (filter: { userId?: string; roomName?: string }) =>
      (await storage.sessions.list(filter, { size: 9 })).items.map(({ sessionId }) => sessionId);
    expect(await ids({ userId: "filter-a" })).toEqual(["f2", "f1"]);
    expect(await ids({ roomName: "filter-x" })).toEqual(["f3", "f1"]);
    expect(await ids({ userId: "filter-a", roomName: "filter-x" })).toEqual(["f1"]);
  });

  test("keys and interviews page likewise", async () => {
    for (const id of ["k1", "k2", "k3"]) await storage.apiKeys.create(apiKey(id));
    const keys = await storage.apiKeys.list({ size: 2 });
    expect(keys.items.map((key) => key.apiKeyId)).toEqual(["k3", "k2"]);
    expect(await storage.apiKeys.list({ size: 2, after: keys.next! })).toEqual({ items: [apiKey("k1")] });

    for (const id of ["i1", "i2", "i3"]) await storage.interviews.create(interview(id, { userId: "pager" }));
    const interviews = await storage.interviews.list({ userId: "pager" }, { size: 2 });
    expect(interviews.items.map((item) => item.interviewId)).toEqual(["i3", "i2"]);
    const rest = await storage.interviews.list({ userId: "pager" }, { size: 2, after: interviews.next! });
    expect(rest).toEqual({ items: [interview("i1", { userId: "pager" })] });
  });

  const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  test.each([
    ["empty", ""],
    ["no base64url", "%%%"],
    ["no JSON", Buffer.from("nonsense").toString("base64url")],
    ["null", text(null)],
    ["of another list", text(["api-keys", 0, "id"])],
    ["short", text(["sessions", 0])],
    ["a time that is none", text(["sessions", "yesterday", "id"])],
    ["a time out of range", text(["sessions", 1e300, "id"])],
    ["an id that is none", text(["sessions", 0, { $ne: 1 }])],
  ])("a bad page token is refused: %s", async (_what, after) => {
    await expect(storage.sessions.list({}, { size: 1, after })).rejects.toMatchObject({
      code: "bad-page-token",
    });
  });
});
