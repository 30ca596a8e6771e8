/** Who may continue a session, until when, and what is fenced then: on both databases. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Storage } from "../../src/storage/open-storage.ts";
import type { SessionOpening, TakeOverRequest } from "../../src/transcription/session-store.ts";
import { forEachDatabase } from "./databases.ts";
import { segment, session } from "./samples.ts";

const opening: SessionOpening = {
  resumeTokenHash: Uint8Array.from({ length: 32 }, (_, index) => index * 7),
  options: {
    encoding: "mulaw",
    interimResults: false,
    analyzeOnEnd: true,
    caseQuestion: "Why?",
    keyterms: ["Elinor"],
    diarize: true,
  },
  sequenceCeiling: 4096,
};
const windowMs = 600_000;
const end = { reason: "completed", durationMs: 1000, endTime: new Date() } as const;

forEachDatabase((_name, open) => {
  let storage: Storage;
  beforeAll(async () => void (storage = await open()));
  afterAll(() => storage.close());

  const have = (sessionId: string) => storage.sessions.create(session(sessionId), opening);
  const takeOver = (sessionId: string, fields: Partial<TakeOverRequest> = {}) =>
    storage.sessions.takeOver({
      sessionId,
      resumeTokenHash: opening.resumeTokenHash,
      userId: "user-ada",
      roomName: "room",
      participantIdentity: "ada",
      windowMs,
      reservedNumbers: 100,
      ...fields,
    });
  const backdate = (sessionId: string, column: string, ms: number) =>
    storage.jobsDatabase.executeSql(
      `update sessions set ${column} = now() - $1::float8 * interval '1 millisecond' where session_id = $2`,
      [ms, sessionId],
    );

  test("a session whose stream is open, or was when its server died, is taken over with all that opened it", async () => {
    await have("active");
    await storage.sessions.commit("active", 1, {
      segments: [segment(0)],
      committedThrough: 16_000,
      sequenceCeiling: 5000,
    });
    expect(await takeOver("active")).toEqual({
      outcome: "taken",
      session: {
        ...session("active"),
        state: "active",
        epoch: 2,
        committedThrough: 16_000,
        durationMs: 1000,
      },
      opening: { ...opening, resumeTokenHash: expect.anything() as Uint8Array, sequenceCeiling: 5100 },
    });
  });

  test("everything of an older epoch is fenced from then on", async () => {
    await have("fenced");
    await takeOver("fenced");
    const commit = { segments: [segment(0)], committedThrough: 16_000 };
    const interruption = { reason: "client-gone", durationMs: 0, sequence: 1 } as const;
    await expect(storage.sessions.commit("fenced", 1, commit)).rejects.toMatchObject({ code: "fenced" });
    await expect(storage.sessions.end("fenced", 1, end)).rejects.toMatchObject({ code: "fenced" });
    await expect(storage.sessions.interrupt("fenced", 1, interruption)).rejects.toMatchObject({
      code: "fenced",
    });
    expect(await storage.sessions.segments("fenced")).toEqual([]);
    await storage.sessions.commit("fenced", 2, commit);
    expect(await storage.sessions.segments("fenced")).toHaveLength(1);
  });

  test("an interrupted session can be taken over within the window, and not after it", async () => {
    await have("window");
    await storage.sessions.interrupt("window", 1, { reason: "client-gone", durationMs: 2345, sequence: 17 });
    expect(await storage.sessions.get("window")).toMatchObject({
      state: "interrupted",
      endReason: "client-gone",
      durationMs: 2345,
    });
    await backdate("window", "interrupt_time", windowMs - 5000);
    const taken = await takeOver("window");
    expect(taken).toMatchObject({ outcome: "taken", opening: { sequenceCeiling: 117 } });
    const { endReason } = (await storage.sessions.get("window")) ?? {};
    expect(endReason).toBeUndefined();
    await storage.sessions.interrupt("window", 2, { reason: "stalled", durationMs: 1, sequence: 18 });
    await backdate("window", "interrupt_time", windowMs + 5000);
    expect(await takeOver("window")).toEqual({ outcome: "over" });
  });

  test.each<[string, Partial<TakeOverRequest>]>([
    ["token", { resumeTokenHash: new Uint8Array(32) }],
    ["empty token", { resumeTokenHash: new Uint8Array(0) }],
    ["user", { userId: "user-bob" }],
    ["room", { roomName: "another" }],
    ["identity", { participantIdentity: "bob" }],
    ["session", { sessionId: "no such" }],
  ])("another %s is not told that there is a session", async (name, fields) => {
    await have(`other ${name}`);
    expect(await takeOver(`other ${name}`, fields)).toEqual({ outcome: "unknown" });
    const ids = [`other ${name}`, "nobody's"];
    expect(await storage.sessions.epochs(ids)).toEqual(new Map([[ids[0], 1]]));
  });

  test("a session that was opened without a token cannot be taken over with none", async () => {
    await storage.sessions.create(session("old"));
    expect(await takeOver("old", { resumeTokenHash: new Uint8Array(0) })).toEqual({ outcome: "unknown" });
  });

  test("a completed session is told about within the window, and is over after it or for another reason", async () => {
    for (const id of ["done", "late", "wrong"]) await have(id);
    await storage.sessions.end("done", 1, end);
    await storage.sessions.end("late", 1, { ...end, endTime: new Date(Date.now() - windowMs - 60_000) });
    await storage.sessions.end("wrong", 1, { ...end, reason: "client-error" });
    expect(await takeOver("done")).toMatchObject({
      outcome: "completed",
      session: { state: "ended", epoch: 1 },
    });
    expect(await takeOver("late")).toEqual({ outcome: "over" });
    expect(await takeOver("wrong")).toEqual({ outcome: "over" });
  });

  test("of many who continue it at once each gets an epoch of its own, and the last one the session", async () => {
    await have("crowd");
    const taken = await Promise.all(Array.from({ length: 8 }, () => takeOver("crowd")));
    const epochs = taken.map((each) => (each.outcome === "taken" ? each.session.epoch : 0));
    expect([...epochs].sort((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    const commits = await Promise.allSettled(
      epochs.map((epoch) =>
        storage.sessions.commit("crowd", epoch, { segments: [], committedThrough: epoch }),
      ),
    );
    expect(commits.filter((commit) => commit.status === "fulfilled")).toHaveLength(1);
    expect(await storage.sessions.get("crowd")).toMatchObject({ epoch: 9, committedThrough: 9 });
  });

  test("a session that is still served is active again, whatever another replica took it for", async () => {
    await have("served");
    await backdate("served", "touch_time", 100_000);
    await storage.sessions.interruptAbandoned(90_000);
    expect(await storage.sessions.get("served")).toMatchObject({ state: "interrupted" });
    await storage.sessions.touch([{ sessionId: "served", epoch: 2 }]);
    expect(await storage.sessions.get("served")).toMatchObject({ state: "interrupted" });
    await storage.sessions.touch([{ sessionId: "served", epoch: 1 }]);
    const { endReason, ...served } = (await storage.sessions.get("served"))!;
    expect([served.state, endReason]).toEqual(["active", undefined]);
    await backdate("served", "interrupt_time", windowMs + 1000);
    await storage.sessions.endInterrupted(windowMs);
    expect(await storage.sessions.get("served")).toMatchObject({ state: "active" });
  });

  test.each([
    ["encoding", { encoding: "linear16" }],
    ["rate", { sampleRateHz: 48_000 }],
    ["channels", { channelCount: 2 }],
  ] as const)("a session whose %s differs from what is said is left as it is", async (name, format) => {
    await have(`format ${name}`);
    const same = { encoding: "mulaw", sampleRateHz: 16_000, channelCount: 1 } as const;
    const refused = await takeOver(`format ${name}`, { format: { ...same, ...format } });
    expect(refused).toMatchObject({ outcome: "other-format", opening: { options: { encoding: "mulaw" } } });
    expect(await storage.sessions.get(`format ${name}`)).toMatchObject({ state: "active", epoch: 1 });
    expect(await takeOver(`format ${name}`, { format: same })).toMatchObject({ outcome: "taken" });
  });

  describe("what is committed beside finals", () => {
    test("gaps of several channels from one sample on are all kept", async () => {
      await have("channels");
      const gaps = [0, 1].map((channel) => ({
        firstSample: 0,
        endSample: 8000 * (channel + 1),
        reason: "engine-failed" as const,
        channel,
      }));
      await storage.sessions.commit("channels", 1, { segments: [], gaps, committedThrough: 16_000 });
      expect(await storage.sessions.gaps("channels")).toEqual(gaps);
    });

    test("gaps come back in order, and a repeated commit adds none", async () => {
      await have("gaps");
      const gaps = [
        { firstSample: 9000, endSample: 12_000, reason: "engine-failed" },
        { firstSample: 0, endSample: 4000, reason: "client-dropped" },
      ] as const;
      const commit = { segments: [], gaps, committedThrough: 12_000 };
      await storage.sessions.commit("gaps", 1, commit);
      await storage.sessions.commit("gaps", 1, commit);
      expect(await storage.sessions.gaps("gaps")).toEqual([gaps[1], gaps[0]]);
    });

    test("another engine is remembered, and so are the word times of what the first one heard", async () => {
      await have("engines");
      await storage.sessions.commit("engines", 1, { segments: [segment(0)], committedThrough: 1 });
      const engine = { engine: "deepgram+offline", wordTimes: "estimated", fillers: "may-drop" } as const;
      const measured = segment(1, { wordTimes: "measured" });
      await storage.sessions.commit("engines", 1, { segments: [measured], committedThrough: 2, engine });
      expect(await storage.sessions.get("engines")).toMatchObject(engine);
      const times = (await storage.sessions.segments("engines")).map(({ wordTimes }) => wordTimes);
      expect(times).toEqual(["estimated", "measured"]);
    });

    test("the numbers that are set aside never become fewer while the stream is open", async () => {
      await have("numbers");
      await storage.sessions.commit("numbers", 1, {
        segments: [],
        committedThrough: 1,
        sequenceCeiling: 9000,
      });
      await storage.sessions.commit("numbers", 1, {
        segments: [],
        committedThrough: 2,
        sequenceCeiling: 8000,
      });
      expect(await takeOver("numbers")).toMatchObject({ opening: { sequenceCeiling: 9100 } });
      expect(await takeOver("numbers")).toMatchObject({ opening: { sequenceCeiling: 9200 } });
    });
  });

  test("interrupted sessions that nobody came back for are ended, for the reason they broke", async () => {
    for (const id of ["forgotten", "fresh"]) {
      await have(id);
      await storage.sessions.interrupt(id, 1, { reason: "client-gone", durationMs: 1234, sequence: 1 });
    }
    await backdate("forgotten", "interrupt_time", windowMs + 1000);
    expect(await storage.sessions.endInterrupted(windowMs)).toBeGreaterThanOrEqual(1);
    expect(await storage.sessions.get("forgotten")).toMatchObject({
      state: "ended",
      endReason: "client-gone",
      durationMs: 1234,
      endTime: expect.any(Date) as Date,
    });
    expect(await storage.sessions.get("fresh")).toMatchObject({ state: "interrupted" });
  });
});
