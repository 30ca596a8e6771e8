/** Sessions and their finals, on both databases. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Storage } from "../../src/storage/open-storage.ts";
import { forEachDatabase } from "./databases.ts";
import { segment, session } from "./samples.ts";

forEachDatabase((_name, open) => {
  let storage: Storage;
  beforeAll(async () => void (storage = await open()));
  afterAll(() => storage.close());
  const setEpoch = (sessionId: string, epoch: number) =>
    storage.jobsDatabase.executeSql("update sessions set epoch = $1 where session_id = $2", [
      epoch,
      sessionId,
    ]);

  test("a new session is active, in epoch 1, with nothing committed", async () => {
    await storage.sessions.create(session("new"));
    expect(await storage.sessions.get("new")).toEqual({
      ...session("new"),
      state: "active",
      epoch: 1,
      committedThrough: 0,
      durationMs: 0,
    });
    expect(await storage.sessions.get("nobody's")).toBeUndefined();
  });

  test("an id is taken once", async () => {
    await storage.sessions.create(session("taken"));
    await expect(storage.sessions.create(session("taken"))).rejects.toMatchObject({ code: "conflict" });
  });

  test("finals come back as they were committed, in order of their index", async () => {
    await storage.sessions.create(session("order"));
    await storage.sessions.commit("order", 1, {
      segments: [segment(2), segment(1)],
      committedThrough: 48_000,
    });
    await storage.sessions.commit("order", 1, { segments: [segment(0)], committedThrough: 48_000 });
    expect(await storage.sessions.segments("order")).toEqual([segment(0), segment(1), segment(2)]);
    expect(await storage.sessions.get("order")).toMatchObject({ committedThrough: 48_000, durationMs: 3000 });
  });

  test("samples and milliseconds beyond 32 bits stay exact", async () => {
    await storage.sessions.create(session("long"));
    const far = segment(0, {
      startSample: 2 ** 52,
      endSample: 2 ** 53 - 1,
      startMs: 2 ** 40,
      endMs: 2 ** 41,
    });
    await storage.sessions.commit("long", 1, { segments: [far], committedThrough: 2 ** 53 - 1 });
    expect(await storage.sessions.segments("long")).toEqual([far]);
    expect(await storage.sessions.get("long")).toMatchObject({ committedThrough: 2 ** 53 - 1 });
  });

  test("a repeated commit changes nothing, and a segment stays as first written", async () => {
    await storage.sessions.create(session("again"));
    const commit = { segments: [segment(0)], committedThrough: 16_000 };
    await storage.sessions.commit("again", 1, commit);
    await storage.sessions.commit("again", 1, commit);
    await storage.sessions.commit("again", 1, {
      segments: [segment(0, { text: "otherwise" }), segment(1)],
      committedThrough: 32_000,
    });
    expect(await storage.sessions.segments("again")).toEqual([segment(0), segment(1)]);
  });

  test("what is committed never falls back", async () => {
    await storage.sessions.create(session("forward"));
    await storage.sessions.commit("forward", 1, { segments: [], committedThrough: 32_000 });
    await storage.sessions.commit("forward", 1, { segments: [], committedThrough: 16_000 });
    expect(await storage.sessions.get("forward")).toMatchObject({ committedThrough: 32_000 });
  });

  test("a commit of an older epoch is fenced and writes nothing", async () => {
    await storage.sessions.create(session("fenced"));
    await setEpoch("fenced", 2);
    const late = storage.sessions.commit("fenced", 1, { segments: [segment(0)], committedThrough: 16_000 });
    await expect(late).rejects.toMatchObject({ name: "StorageError", code: "fenced", retryable: false });
    expect(await storage.sessions.segments("fenced")).toEqual([]);
    expect(await storage.sessions.get("fenced")).toMatchObject({ committedThrough: 0 });
    await storage.sessions.commit("fenced", 2, { segments: [segment(0)], committedThrough: 16_000 });
    expect(await storage.sessions.segments("fenced")).toHaveLength(1);
  });

  test("nothing is committed to a session that has ended, or that never was", async () => {
    await storage.sessions.create(session("over"));
    await storage.sessions.end("over", 1, { reason: "completed", durationMs: 10, endTime: new Date(1000) });
    const commit = { segments: [segment(0)], committedThrough: 1 };
    await expect(storage.sessions.commit("over", 1, commit)).rejects.toMatchObject({ code: "fenced" });
    await expect(storage.sessions.commit("never", 1, commit)).rejects.toMatchObject({ code: "fenced" });
    expect(await storage.sessions.segments("over")).toEqual([]);
  });

  test("commits at the same time are all kept", async () => {
    await storage.sessions.create(session("crowd"));
    const indexes = Array.from({ length: 20 }, (_, index) => index);
    await Promise.all(
      indexes.map((index) =>
        storage.sessions.commit("crowd", 1, { segments: [segment(index)], committedThrough: index * 16_000 }),
      ),
    );
    expect(await storage.sessions.segments("crowd")).toEqual(indexes.map((index) => segment(index)));
    expect(await storage.sessions.get("crowd")).toMatchObject({ committedThrough: 19 * 16_000 });
  });

  test("text that PostgreSQL cannot hold is stored with a replacement character", async () => {
    await storage.sessions.create(session("nul\0", { roomName: "ro\0om" }));
    const words = [{ text: "a\0b \ud800", startMs: 0, endMs: 1 }];
    await storage.sessions.commit("nul\0", 1, {
      segments: [segment(0, { text: "a\0b \ud800", words })],
      committedThrough: 1,
    });
    expect(await storage.sessions.segments("nul\0")).toMatchObject([
      { text: "a\uFFFDb \uFFFD", words: [{ text: "a\uFFFDb \uFFFD" }] },
    ]);
    expect(await storage.sessions.get("nul\0")).toMatchObject({ roomName: "ro\uFFFDom" });
    expect(await storage.sessions.get("nul")).toBeUndefined();
  });

  describe("the end", () => {
    const end = {
      reason: "completed",
      durationMs: 1234,
      endTime: new Date("2026-01-02T04:00:00Z"),
      interviewId: "interview",
    } as const;

    test("is written once and stays", async () => {
      await storage.sessions.create(session("end"));
      await storage.sessions.end("end", 1, end);
      await storage.sessions.end("end", 1, { reason: "stalled", durationMs: 9, endTime: new Date(0) });
      expect(await storage.sessions.get("end")).toEqual({
        ...session("end"),
        state: "ended",
        epoch: 1,
        committedThrough: 0,
        endReason: "completed",
        durationMs: end.durationMs,
        endTime: end.endTime,
        interviewId: "interview",
      });
    });

    test("by an older epoch is fenced, before and after the session has ended", async () => {
      await storage.sessions.create(session("end-fenced"));
      await setEpoch("end-fenced", 2);
      await expect(storage.sessions.end("end-fenced", 1, end)).rejects.toMatchObject({ code: "fenced" });
      expect(await storage.sessions.get("end-fenced")).toMatchObject({ state: "active" });
      await storage.sessions.end("end-fenced", 2, end);
      await expect(storage.sessions.end("end-fenced", 1, end)).rejects.toMatchObject({ code: "fenced" });
      await expect(storage.sessions.end("end-never", 1, end)).rejects.toMatchObject({ code: "fenced" });
    });

    test("is near for sessions that nobody serves, which are called interrupted, not to touched, committed or ended ones", async () => {
      const ids = ["left", "touched", "committed", "ended"];
      for (const id of ids) await storage.sessions.create(session(id, { userId: "abandoned" }));
      await storage.sessions.commit("left", 1, { segments: [], committedThrough: 8000 });
      await storage.sessions.end("ended", 1, end);
      await storage.jobsDatabase.executeSql(
        "update sessions set touch_time = now() - interval '1 hour' where user_id = $1",
        ["abandoned"],
      );
      await storage.sessions.touch([
        { sessionId: "touched", epoch: 1 },
        { sessionId: "nobody's", epoch: 1 },
        { sessionId: "left", epoch: 2 },
        { sessionId: "ended", epoch: 1 },
      ]);
      await storage.sessions.touch([]);
      await storage.sessions.commit("committed", 1, { segments: [], committedThrough: 1 });

      expect(await storage.sessions.interruptAbandoned(2 * 3_600_000)).toBe(0);
      expect(await storage.sessions.interruptAbandoned(600_000)).toBe(1);
      expect(await storage.sessions.get("left")).toMatchObject({
        state: "interrupted",
        endReason: "server-stopped",
        durationMs: 500,
      });
      expect(await storage.sessions.get("touched")).toMatchObject({ state: "active" });
      expect(await storage.sessions.get("committed")).toMatchObject({ state: "active" });
      expect(await storage.sessions.get("ended")).toMatchObject({ endReason: "completed" });
    });
  });
});
