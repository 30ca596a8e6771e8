/** Users are recorded when they are first seen, by a database that may be slow or away, and no call waits for it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Storage } from "../../../src/storage/open-storage.ts";
import type { UserCaller } from "../../../src/token/caller.ts";
import { FirstSight } from "../../../src/token/users/first-sight.ts";
import type { SeenUser, UserStore } from "../../../src/token/users/user-store.ts";
import { createManualClock } from "../../fakes/manual-clock.ts";
import type { ManualClock } from "../../fakes/manual-clock.ts";
import { forEachDatabase } from "../../storage/databases.ts";

const user = (userId: string, fields: Partial<UserCaller> = {}): UserCaller => ({
  kind: "user",
  userId,
  issuer: "https://issuer.example",
  subject: userId,
  expireTime: new Date(0),
  ...fields,
});

forEachDatabase((_name, open) => {
  let storage: Storage;
  let clock: ManualClock;
  beforeAll(async () => void (storage = await open()));
  afterAll(() => storage.close());
  beforeEach(() => void (clock = createManualClock(Date.parse("2026-01-02T03:04:05.678Z"))));

  const start = (maxUsers?: number) => {
    const written: SeenUser[] = [];
    const problems: unknown[] = [];
    const store: Pick<UserStore, "see"> = {
      async see(seen, now) {
        written.push(seen);
        await storage.users.see(seen, now);
      },
    };
    const firstSight = new FirstSight({
      store,
      clock,
      onProblem: (message) => problems.push(message),
      ...(maxUsers !== undefined && { maxUsers }),
    });
    return { firstSight, written, problems };
  };

  test("a user who calls is there a moment later, once however often they call", async () => {
    const { firstSight, written } = start();
    for (let call = 0; call < 3; call++) {
      firstSight.sight(user("ada", { displayName: "Ada", email: "ada@example.com" }));
      await firstSight.flush();
    }
    expect(await storage.users.get("ada")).toEqual({
      userId: "ada",
      issuer: "https://issuer.example",
      subject: "ada",
      displayName: "Ada",
      email: "ada@example.com",
      createTime: new Date(clock.now()),
      updateTime: new Date(clock.now()),
    });
    expect(written).toHaveLength(1);
  });

  test("many who call at once are all there", async () => {
    const { firstSight } = start();
    const names = Array.from({ length: 50 }, (_, index) => `many-${index}`);
    for (const name of names) firstSight.sight(user(name));
    await firstSight.flush();
    const found = await Promise.all(names.map((name) => storage.users.get(name)));
    expect(found.map((one) => one?.userId)).toEqual(names);
  });

  test("another name is written, at most once a minute, and what a login leaves out stays", async () => {
    const { firstSight, written } = start();
    const sight = async (fields: Partial<UserCaller>) => {
      firstSight.sight(user("renamed", fields));
      await firstSight.flush();
    };
    await sight({ displayName: "Ada" });
    const createTime = new Date(clock.now());
    await sight({ displayName: "Countess" });
    expect(await storage.users.get("renamed")).toMatchObject({ displayName: "Ada" });
    await clock.advance(60_000);
    await sight({});
    expect(written).toHaveLength(1);
    await sight({ displayName: "Countess", email: "c@example.com" });
    await clock.advance(60_000);
    await sight({ email: "c@example.com" });
    await sight({ displayName: "Countess" });
    expect(await storage.users.get("renamed")).toMatchObject({
      displayName: "Countess",
      email: "c@example.com",
      createTime,
      updateTime: new Date(createTime.getTime() + 60_000),
    });
    expect(written).toHaveLength(2);
  });

  test("logins that say different things of a person add up, and none is written again", async () => {
    const { firstSight, written } = start();
    for (const fields of [{ displayName: "Ada" }, { email: "ada@example.com" }, { displayName: "Ada" }]) {
      firstSight.sight(user("in-parts", fields));
      await firstSight.flush();
      await clock.advance(60_000);
    }
    expect(written).toHaveLength(2);
    expect(await storage.users.get("in-parts")).toMatchObject({
      displayName: "Ada",
      email: "ada@example.com",
    });
  });

  test("one who is crowded out of memory is written once more, which changes nothing", async () => {
    const { firstSight, written } = start(2);
    for (const name of ["crowd-1", "crowd-2", "crowd-3", "crowd-1"]) {
      firstSight.sight(user(name, { displayName: name }));
      await firstSight.flush();
      await clock.advance(1000);
    }
    expect(written.map(({ userId }) => userId)).toEqual(["crowd-1", "crowd-2", "crowd-3", "crowd-1"]);
    const stored = await storage.users.get("crowd-1");
    expect(stored?.updateTime).toEqual(stored?.createTime);
  });
});

/** A database whose answers a test gives. */
function slowStore() {
  const asked: { readonly userId: string; readonly answer: (error?: Error) => void }[] = [];
  const store: Pick<UserStore, "see"> = {
    see: ({ userId }) => {
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      asked.push({ userId, answer: (error) => (error ? reject(error) : resolve(undefined)) });
      return promise;
    },
  };
  const problems: string[] = [];
  const options = {
    store,
    clock: createManualClock(),
    onProblem: (problem: string) => void problems.push(problem),
  };
  const names = () => asked.map(({ userId }) => userId);
  const asks = (count: number) => expect.poll(() => asked.length).toBe(count);
  return { asked, names, asks, problems, options };
}

describe("a database that does not answer", () => {
  test("is asked for one user at a time, and only so many wait", async () => {
    const { asked, names, asks, options } = slowStore();
    const firstSight = new FirstSight({ ...options, maxUsers: 3 });
    firstSight.sight(user("a"));
    expect(asked).toEqual([]); // the call goes on first
    await asks(1);
    for (const name of ["b", "c", "d", "e", "b"]) firstSight.sight(user(name));
    for (let count = 1; count <= 4; count++) {
      await asks(count);
      asked[count - 1]!.answer();
    }
    await firstSight.flush();
    expect(names()).toEqual(["a", "b", "c", "d"]);
    firstSight.sight(user("e"));
    await asks(5);
    expect(names().at(-1)).toBe("e");
    asked[4]!.answer();
    await firstSight.flush();
  });

  test("is asked again at the next call, and its failures are told once until it works", async () => {
    const { asked, names, asks, problems, options } = slowStore();
    const firstSight = new FirstSight(options);
    const fail = async (count: number) => {
      await asks(count);
      asked[count - 1]!.answer(new Error("away"));
      await firstSight.flush();
    };
    firstSight.sight(user("a"));
    firstSight.sight(user("b"));
    await fail(1);
    expect(names()).toEqual(["a"]); // nor is it asked for b
    firstSight.sight(user("b"));
    await fail(2);
    expect(problems).toHaveLength(1);
    firstSight.sight(user("a"));
    await asks(3);
    asked[2]!.answer();
    await firstSight.flush();
    firstSight.sight(user("b"));
    await fail(4);
    expect(problems).toHaveLength(2);
    expect(names()).toEqual(["a", "b", "a", "b"]);
  });
});
