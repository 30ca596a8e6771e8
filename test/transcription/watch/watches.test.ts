/** Watching on a real database and a clock that is moved by hand: bounds, cursors, lost notices, and rights that end. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStorage } from "../../../src/storage/open-storage.ts";
import type { Storage } from "../../../src/storage/open-storage.ts";
import type { SessionEvent } from "../../../src/transcription/session/session-events.ts";
import type { SessionEventLog } from "../../../src/transcription/watch/session-event-log.ts";
import type { ToldEvent } from "../../../src/transcription/watch/watch.ts";
import { Watches } from "../../../src/transcription/watch/watches.ts";
import type { OpenedWatch, Watcher, WatchRequest } from "../../../src/transcription/watch/watches.ts";
import { createManualClock } from "../../fakes/manual-clock.ts";
import type { ManualClock } from "../../fakes/manual-clock.ts";
import { silentLog } from "../../storage/silent-log.ts";
import { segment, session } from "../../storage/samples.ts";

let storage: Storage;
let clock: ManualClock;
let problems: string[];
let roomName: string;
let rooms = 0;
beforeAll(async () => void (storage = await openStorage({ dataDir: "memory:", log: silentLog })));
afterAll(() => storage.close());
beforeEach(() => {
  clock = createManualClock();
  problems = [];
  roomName = `room-${++rooms}`;
});

const eve: Watcher = { name: "participant:eve", isService: false, userId: "eve", token: { tokenId: "t" } };
const place = () => ({ sessionId: `${roomName}-s`, roomName, participantIdentity: "ada" });
const interim = (text: string): SessionEvent => ({
  type: "transcript",
  segmentIndex: 0,
  revision: 0,
  isFinal: false,
  text,
  words: [],
  startMs: 0,
  endMs: 0,
  channel: 0,
  wordTimes: "measured",
});

function watches(log: SessionEventLog = storage.sessionEvents, maxUnreadBytes = 256 * 1024): Watches {
  const made = new Watches({
    log,
    store: storage.sessions,
    notices: storage.notices,
    clock,
    maxUnreadBytes,
    limits: { maxWatches: 3, maxPerCaller: 2 },
    onProblem: (message) => problems.push(message),
  });
  made.start();
  return made;
}
const begin = () => storage.sessions.create(session(place().sessionId, { roomName }));
const commit = (index: number) =>
  storage.sessions.commit(place().sessionId, 1, { segments: [segment(index)], committedThrough: index });

async function follow(from: Watches, request: Partial<WatchRequest> = {}) {
  const opened = await from.open({ roomName, watcher: eve, ...request });
  const told: ToldEvent[] = [];
  const ended = (async () => {
    for await (const event of opened.watch.events()) told.push(event);
  })().catch((error: unknown) => error as Error);
  return { ...opened, told, ended, kinds: () => told.map(describeEvent) };
}
const describeEvent = ({ event }: ToldEvent) => (event.type === "transcript" ? event.text : event.type);
const lookOf = (opened: OpenedWatch) => opened.watch.events()[Symbol.asyncIterator]();

describe("bounds", () => {
  test("who does not read is ended at the bound, gets what was there, and goes on from the cursor", async () => {
    const all = watches(undefined, 1000);
    await begin();
    const slow = lookOf(await all.open({ roomName, watcher: eve }));
    expect((await slow.next()).value).toMatchObject({ event: { type: "started" } });
    let isLive = false;
    const waiting = slow.next().then(() => (isLive = true));
    await expect
      .poll(() => {
        all.said(place(), interim("are you there?")); // until the log is read, and it hears more
        return isLive;
      })
      .toBe(true);
    await waiting;
    for (let index = 0; index < 20; index++) all.said(place(), interim(`interim ${index}`));
    await commit(0);
    const told: ToldEvent[] = [];
    const failure = (async () => {
      for (let next = await slow.next(); !next.done; next = await slow.next()) told.push(next.value);
    })().catch((error: unknown) => error);
    expect(await failure).toMatchObject({ code: "reader-stalled" });
    expect(told.length).toBeGreaterThan(5);
    expect(told.length).toBeLessThan(20);
    const rest = await follow(all, { after: { cursor: told.at(-1)!.cursor } });
    await expect.poll(rest.kinds).toEqual(["final 0"]);
    rest.close();
  });

  test("one that is closed while its client does not read leaves nothing behind", async () => {
    const all = watches();
    await begin();
    const opened = await all.open({ roomName, watcher: eve });
    const look = lookOf(opened);
    await look.next();
    const live = look.next();
    await commit(0);
    await live; // nobody asks for more
    opened.close();
    await clock.advance(1); // the notice of the commit is sent
    expect(clock.pending()).toBe(0);
  });

  test("one may watch so often, and all together; a watch that is closed does not count", async () => {
    const all = watches();
    const first = await all.open({ roomName, watcher: eve });
    await all.open({ roomName, watcher: eve });
    await expect(all.open({ roomName, watcher: eve })).rejects.toMatchObject({ code: "limit" });
    await all.open({ roomName, watcher: { name: "service:k", isService: true } });
    const bob = { ...eve, name: "participant:bob" };
    await expect(all.open({ roomName, watcher: bob })).rejects.toMatchObject({ code: "limit" });
    first.close();
    first.close();
    await all.open({ roomName, watcher: bob });
    await expect(all.open({ roomName, watcher: bob })).rejects.toMatchObject({ code: "limit" });
  });
});

describe("cursors", () => {
  test("one of another room, or none at all, is refused as invalid; one beyond the log as erased", async () => {
    const all = watches();
    await begin();
    const here = await follow(all);
    await expect.poll(here.kinds).toEqual(["started"]);
    const { cursor } = here.told[0]!;
    const at = (asked: string, room = roomName) =>
      all.open({ roomName: room, watcher: eve, after: { cursor: asked } });
    await expect(at(cursor, "another")).rejects.toMatchObject({ code: "invalid" });
    await expect(at("x")).rejects.toMatchObject({ code: "invalid" });
    await expect(at(cursor.replace(/^1\./, "zz."))).rejects.toMatchObject({ code: "erased" });
    here.close();
  });

  test('"now" leaves out what there was, and nothing that comes', async () => {
    const all = watches();
    await begin();
    await commit(0);
    const fresh = await follow(all, { after: "now" });
    await commit(1);
    await expect.poll(fresh.kinds).toEqual(["final 1"]);
    fresh.close();
  });
});

describe("between the replay and what is live", () => {
  /** A log whose next read has seen what there is, and is held up before it is answered. */
  function holdingLog() {
    let hold: { readonly seen: () => void; readonly until: Promise<void> } | undefined;
    let reads = 0;
    const log: SessionEventLog = {
      ...storage.sessionEvents,
      async read(query) {
        const held = hold;
        hold = undefined;
        const page = await storage.sessionEvents.read(query);
        held?.seen();
        await held?.until;
        reads += 1;
        return page;
      },
    };
    return {
      log,
      /** The first watcher has read the log, and so has what follows it for all. */
      isFollowed: () => reads === 2,
      holdNext: () => {
        const seen = Promise.withResolvers<undefined>();
        const until = Promise.withResolvers<undefined>();
        hold = { seen: () => seen.resolve(undefined), until: until.promise };
        return { seen: seen.promise, release: () => until.resolve(undefined) };
      },
    };
  }

  test("nothing is lost when others are told something while one still reads", async () => {
    const { log, holdNext, isFollowed } = holdingLog();
    const all = watches(log);
    await begin();
    const first = await follow(all);
    await expect.poll(isFollowed).toBe(true);
    const read = holdNext();
    const second = await follow(all);
    await read.seen;
    await commit(0);
    await expect.poll(first.kinds).toEqual(["started", "final 0"]);
    read.release();
    await expect.poll(second.kinds).toEqual(["started", "final 0"]);
    first.close();
    second.close();
  });

  test("nothing comes twice when one has read what others are told of later", async () => {
    const { log, holdNext, isFollowed } = holdingLog();
    const all = watches(log);
    await begin();
    const first = await follow(all);
    await expect.poll(isFollowed).toBe(true);
    const read = holdNext();
    await commit(0);
    await read.seen;
    const second = await follow(all);
    await expect.poll(second.kinds).toEqual(["started", "final 0"]);
    read.release();
    await commit(1);
    for (const { kinds } of [first, second])
      await expect.poll(kinds).toEqual(["started", "final 0", "final 1"]);
    first.close();
    second.close();
  });
});

test("what no notice told of is seen five seconds later", async () => {
  const deaf: SessionEventLog = { ...storage.sessionEvents, onAppended: () => () => undefined };
  const all = watches(deaf);
  await begin();
  const watching = await follow(all);
  await expect.poll(watching.kinds).toEqual(["started"]);
  await commit(0);
  await expect
    .poll(async () => {
      await clock.advance(5_000);
      return watching.kinds();
    })
    .toEqual(["started", "final 0"]);
  watching.close();
});

test("a log that cannot be read for a while is read again, and the operator is told once", async () => {
  let isAway = false;
  const stumbling: SessionEventLog = {
    ...storage.sessionEvents,
    read: (query) =>
      isAway ? Promise.reject(new Error("the database is away")) : storage.sessionEvents.read(query),
  };
  const all = watches(stumbling);
  await begin();
  const watching = await follow(all);
  await expect.poll(watching.kinds).toEqual(["started"]);
  isAway = true;
  await commit(0);
  await expect.poll(() => problems).toHaveLength(1);
  await clock.advance(3_000);
  expect(problems).toHaveLength(1);
  isAway = false;
  await expect
    .poll(async () => {
      await clock.advance(1_000);
      return watching.kinds();
    })
    .toEqual(["started", "final 0"]);
  watching.close();
});

describe("a right that ends", () => {
  test("by itself ends the watch, and what is there is not told any more", async () => {
    const all = watches();
    await begin();
    const expireTime = new Date(clock.now() + 60_000);
    const opened = await all.open({ roomName, watcher: { ...eve, expireTime } });
    const look = lookOf(opened);
    await look.next();
    await clock.advance(60_000);
    await expect(look.next()).rejects.toMatchObject({ code: "token-expired" });
    opened.close();
    expect(clock.pending()).toBe(0);
  });

  test("without a word is noticed within 30 s; a look that fails ends nothing", async () => {
    const all = watches();
    const answers = [Promise.reject(new Error("away")), Promise.resolve(true), Promise.resolve(false)];
    for (const answer of answers) answer.catch(() => undefined);
    const watching = await follow(all, {
      watcher: { name: "service:k", isService: true, isStillGood: () => answers.shift()! },
    });
    await clock.advance(60_000);
    expect([all.count, problems.length]).toEqual([1, 1]);
    await clock.advance(30_000);
    expect(await watching.ended).toMatchObject({ code: "token-expired" });
    watching.close();
  });

  test.each<[string, Parameters<Watches["revoke"]>[0], number]>([
    ["her token", { tokenId: "t" }, 1],
    ["her family of tokens", { tokenId: "f" }, 1],
    ["another's token", { tokenId: "u" }, 0],
    ["her tokens", { userId: "eve" }, 1],
    ["another's tokens", { userId: "bob" }, 0],
    ["the room, which a login may have lost too", { roomName: "the room" }, 2],
    ["another room", { roomName: "another" }, 0],
  ])("by a revocation of %s", async (_, selector, count) => {
    const all = watches();
    const token = { tokenId: "t", familyId: "f" };
    const asked = { roomName: "the room", after: "now" } as const;
    await all.open({ ...asked, watcher: { ...eve, token } });
    await all.open({ ...asked, watcher: { name: "user:eve", isService: false, userId: "eve" } });
    await all.open({ ...asked, watcher: { name: "service:k", isService: true } });
    expect(all.revoke(selector)).toBe(count);
  });
});

test("only one speaker's sessions are told of when one is named", async () => {
  const all = watches();
  const bobs = await follow(all, { participantIdentity: "bob" });
  await begin();
  await storage.sessions.create(session(`${roomName}-bob`, { roomName, participantIdentity: "bob" }));
  await commit(0);
  all.said(place(), interim("ada's"));
  await expect.poll(() => bobs.told.map(({ session }) => session.participantIdentity)).toEqual(["bob"]);
  bobs.close();
});
