/** Users, on both databases. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Storage } from "../../src/storage/open-storage.ts";
import type { SeenUser } from "../../src/token/users/user-store.ts";
import { forEachDatabase } from "./databases.ts";

const first = new Date("2026-02-03T04:05:06.789Z");
const later = new Date("2026-02-03T04:06:06.789Z");

const user = (userId: string, fields: Partial<SeenUser> = {}): SeenUser => ({
  userId,
  issuer: "https://issuer.example",
  subject: "ada",
  ...fields,
});

forEachDatabase((_name, open) => {
  let storage: Storage;
  beforeAll(async () => void (storage = await open()));
  afterAll(() => storage.close());

  test("a user comes back as they were first seen", async () => {
    const whole = user("whole", { displayName: "Ada", email: "ada@example.com" });
    await storage.users.see(whole, first);
    expect(await storage.users.get("whole")).toEqual({ ...whole, createTime: first, updateTime: first });
    await storage.users.see(user("bare"), first);
    expect(await storage.users.get("bare")).toEqual({
      ...user("bare"),
      createTime: first,
      updateTime: first,
    });
    expect(await storage.users.get("none")).toBeUndefined();
  });

  test("a change is kept, and nothing that another login does not say is lost", async () => {
    await storage.users.see(user("changed", { displayName: "Ada" }), first);
    const other = { issuer: "another", subject: "other" };
    await storage.users.see(user("changed", { ...other, email: "ada@example.com" }), later);
    expect(await storage.users.get("changed")).toEqual({
      ...user("changed", { displayName: "Ada", email: "ada@example.com" }),
      createTime: first,
      updateTime: later,
    });
  });

  test("the same again, or less, is no change", async () => {
    await storage.users.see(user("same", { displayName: "Ada", email: "ada@example.com" }), first);
    for (const seen of [{}, { displayName: "Ada" }, { email: "ada@example.com" }]) {
      await storage.users.see(user("same", seen), later);
    }
    expect(await storage.users.get("same")).toMatchObject({ updateTime: first });
  });

  test("two replicas that see a user at once make one", async () => {
    const names = ["a", "b", "c", "d"];
    await Promise.all(names.map((displayName) => storage.users.see(user("race", { displayName }), first)));
    expect(names).toContain((await storage.users.get("race"))?.displayName);
  });
});
