/** The log of a room: what is in it, in which order, and that nothing is in it twice. On both databases. */
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { up } from "../../src/storage/migrations/0013-session-events.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage } from "../../src/storage/open-storage.ts";
import type { LoggedEvent } from "../../src/transcription/watch/session-event-log.ts";
import { describePostgres, forEachDatabase, silentLog } from "./databases.ts";
import { segment, session } from "./samples.ts";

const end = { reason: "completed", durationMs: 1000, endTime: new Date() } as const;
const gap = { firstSample: 0, endSample: 16_000, reason: "client-dropped" } as const;

forEachDatabase((name, open) => {
  let storage: Storage;
  beforeAll(async () => void (storage = await open()));
  afterAll(() => storage.close());

  const read = (roomName: string, fields: { after?: number; limit?: number; sessionId?: string } = {}) =>
    storage.sessionEvents.read({ roomName, after: 0, limit: 100, ...fields });
  const have = (sessionId: string, roomName: string) =>
    storage.sessions.create(session(sessionId, { roomName }));

  test("a session's start, gaps, finals and end, numbered in the order of commits", async () => {
    await have("whole", "order");
    await storage.sessions.commit("whole", 1, {
      segments: [segment(1, { finalNumber: 2 }), segment(0, { finalNumber: 1 })],
      gaps: [{ ...gap, firstSample: 48_000, endSample: 64_000, channel: 0 }, gap],
      committedThrough: 64_000,
    });
    await storage.sessions.commit("whole", 1, { segments: [segment(2)], committedThrough: 80_000 });
    await storage.sessions.end("whole", 1, end);
    const { events, through, hasMore } = await read("order");
    expect(events.map(describeEvent)).toEqual([
      "1 whole started",
      "2 whole gap 0",
      "3 whole gap 48000",
      "4 whole final 0",
      "5 whole final 1",
      "6 whole final 2",
      "7 whole ended",
    ]);
    expect([through, hasMore]).toEqual([7, false]);
    expect(await storage.sessionEvents.head("order")).toBe(7);
    const [first] = events;
    expect(first?.session).toMatchObject({ sessionId: "whole", participantIdentity: "ada", state: "ended" });
    const final = events.find((event) => event.kind === "final");
    expect(final?.segment).toEqual(segment(0, { finalNumber: 1 }));
    const lost = events.find((event) => event.kind === "gap");
    expect(lost?.gap).toEqual(gap);
  });

  test("what is written again is not there again", async () => {
    await have("again", "repeats");
    const commit = { segments: [segment(0)], gaps: [gap], committedThrough: 16_000 };
    await storage.sessions.commit("again", 1, commit);
    await storage.sessions.commit("again", 1, commit);
    await storage.sessions.end("again", 1, end);
    await storage.sessions.end("again", 1, end);
    expect((await read("repeats")).events.map(describeEvent)).toEqual([
      "1 again started",
      "2 again gap 0",
      "3 again final 0",
      "4 again ended",
    ]);
  });

  test("what is fenced, or only silence, leaves nothing", async () => {
    await have("fenced", "quiet");
    await storage.sessions.commit("fenced", 1, { segments: [], committedThrough: 16_000 });
    const late = storage.sessions.commit("fenced", 7, { segments: [segment(0)], committedThrough: 16_000 });
    await expect(late).rejects.toMatchObject({ code: "fenced" });
    await expect(storage.sessions.end("fenced", 7, end)).rejects.toMatchObject({ code: "fenced" });
    expect(await storage.sessionEvents.head("quiet")).toBe(1);
  });

  test("sessions that nobody came back for are told of as ended", async () => {
    for (const sessionId of ["left-1", "left-2"]) {
      await have(sessionId, "left");
      await storage.sessions.interrupt(sessionId, 1, { reason: "client-gone", durationMs: 1, sequence: 1 });
    }
    await storage.jobsDatabase.executeSql(
      `update sessions set interrupt_time = now() - interval '1 hour' where room_name = 'left'`,
    );
    expect(await storage.sessions.endInterrupted(60_000)).toBe(2);
    expect((await read("left")).events.map(describeEvent).slice(2)).toEqual([
      "3 left-1 ended",
      "4 left-2 ended",
    ]);
  });

  test("is read in pages, and of one session", async () => {
    await have("one", "pages");
    await have("two", "pages");
    await storage.sessions.commit("one", 1, { segments: [segment(0), segment(1)], committedThrough: 1 });
    await storage.sessions.commit("two", 1, { segments: [segment(0)], committedThrough: 1 });
    const first = await read("pages", { limit: 3 });
    expect(first.events.map(describeEvent)).toEqual(["1 one started", "2 two started", "3 one final 0"]);
    expect([first.through, first.hasMore]).toEqual([3, true]);
    const rest = await read("pages", { after: 3 });
    expect(rest.events.map(describeEvent)).toEqual(["4 one final 1", "5 two final 0"]);
    const two = await read("pages", { sessionId: "two" });
    expect(two.events.map(describeEvent)).toEqual(["2 two started", "5 two final 0"]);
    expect(await read("pages", { after: 5 })).toEqual({ events: [], through: 5, hasMore: false });
  });

  test("of a room that never was there is nothing", async () => {
    expect(await storage.sessionEvents.head("nowhere")).toBe(0);
    expect((await read("nowhere")).events).toEqual([]);
  });

  test("an erased session is gone from it, and the others keep their numbers", async () => {
    await have("erased", "erasing");
    await have("kept", "erasing");
    await storage.jobsDatabase.executeSql(`delete from sessions where session_id = 'erased'`);
    await storage.sessions.commit("kept", 1, { segments: [segment(0)], committedThrough: 1 });
    expect((await read("erasing")).events.map(describeEvent)).toEqual(["2 kept started", "3 kept final 0"]);
  });

  test("commits at once in one room get a number each, and none is seen before a lower one", async () => {
    const sessionIds = Array.from({ length: 6 }, (_, index) => `busy-${index}`);
    for (const sessionId of sessionIds) await have(sessionId, "busy");
    const seen: number[] = [];
    let after = sessionIds.length;
    const commits = sessionIds.map(async (sessionId) => {
      for (let index = 0; index < 10; index++)
        await storage.sessions.commit(sessionId, 1, { segments: [segment(index)], committedThrough: index });
    });
    const done = Promise.all(commits).then(() => true);
    for (let isDone = false; !isDone;) {
      isDone = await Promise.race([done, Promise.resolve(false)]);
      const page = await read("busy", { after });
      seen.push(...page.events.map(({ position }) => position));
      after = page.through;
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, index) => 7 + index));
  }, 60_000);

  test("tells in which rooms something was added, once it is there", async () => {
    const told: string[] = [];
    const stop = storage.sessionEvents.onAppended((roomNames) => told.push(...roomNames));
    await have("told", "telling");
    await storage.sessions.commit("told", 1, { segments: [], committedThrough: 5 });
    await storage.sessions.commit("told", 1, { segments: [segment(0)], committedThrough: 6 });
    await storage.sessions.end("told", 1, end);
    stop();
    await have("untold", "telling");
    expect(told).toEqual(["telling", "telling", "telling"]);
  });

  // PGlite is one process's alone.
  if (name === "PostgreSQL") {
    test("replicas append to one log", async () => {
      const other = await open();
      await have("here", "shared");
      await other.sessions.create(session("there", { roomName: "shared" }));
      expect((await read("shared")).events.map(describeEvent)).toEqual(["1 here started", "2 there started"]);
      await other.close();
    });
  }
});

describePostgres("a database that is older than the log", (url) => {
  test("gets what its sessions left, in the order in which they began", async () => {
    const storage = await openStorage({ url: url(), dataDir: "unused", log: silentLog });
    const createTime = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
    await storage.sessions.create(session("later", { roomName: "old", createTime: createTime(2) }));
    await storage.sessions.create(session("earlier", { roomName: "old", createTime: createTime(1) }));
    await storage.sessions.commit("earlier", 1, {
      segments: [segment(0), segment(1)],
      gaps: [gap],
      committedThrough: 1,
    });
    await storage.sessions.end("earlier", 1, end);
    await storage.jobsDatabase.executeSql("drop table session_events");
    await storage.jobsDatabase.executeSql("drop table room_logs");
    const db = new Kysely({
      dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url() }) }),
    });
    await up(db);
    await db.destroy();
    await storage.sessions.commit("later", 1, { segments: [segment(0)], committedThrough: 1 });
    const { events } = await storage.sessionEvents.read({ roomName: "old", after: 0, limit: 100 });
    expect(events.map(describeEvent)).toEqual([
      "1 earlier started",
      "2 earlier gap 0",
      "3 earlier final 0",
      "4 earlier final 1",
      "5 earlier ended",
      "6 later started",
      "7 later final 0",
    ]);
    await storage.close();
  });
});

function describeEvent(event: LoggedEvent): string {
  const what =
    event.kind === "final"
      ? ` ${event.segment.segmentIndex}`
      : event.kind === "gap"
        ? ` ${event.gap.firstSample}`
        : "";
  return `${event.position} ${event.session.sessionId} ${event.kind}${what}`;
}
