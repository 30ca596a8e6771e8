/** GetProgress as its user and a service see it, on both databases. */
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AnalysisService } from "../../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { ProgressSeries } from "../../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { Report } from "../../../../src/analysis/report.ts";
import type { Storage } from "../../../../src/storage/open-storage.ts";
import type { NewSession, StoredSegment } from "../../../../src/transcription/session-store.ts";
import { forEachDatabase } from "../../../storage/databases.ts";
import { interview, segment, session } from "../../../storage/samples.ts";
import { startInMemoryServer } from "../token/in-memory-server.ts";
import type { InMemoryServer } from "../token/in-memory-server.ts";

forEachDatabase((_, open) => {
  let storage: Storage;
  let server: InMemoryServer;
  let service: string;
  beforeAll(async () => {
    storage = await open();
    server = await startInMemoryServer({ storage });
    service = await server.service("analysis");
    await have("third", 3, { fillers: "may-drop" });
    await have("first", 1);
    await have("second", 2);
    await have("silent", 4, {}, []);
    await have("bobs", 1, { userId: "bob" });
    await storage.sessions.create(session("running", { userId: "ann", createTime: day(5) }));
    for (const [id, sessionId, overallScore, second] of [
      ["old", "first", 40, 1],
      ["new", "first", 60, 2],
      ["unscored", "second", undefined, 1],
    ] as const) {
      const report = { overallScore, scores: [], practices: [] } as unknown as Report;
      const updateTime = new Date(Date.UTC(2026, 0, 1, 0, 0, second));
      await storage.interviews.create(
        interview(id, { userId: "ann", sessionId, state: "done", report, updateTime }),
      );
    }
  });
  afterAll(async () => {
    await server.close();
    await storage.close();
  });

  const day = (number: number) => new Date(Date.UTC(2026, 0, number));
  const spoken = [
    segment(0, {
      words: ["um", "I", "agree"].map((text, index) => ({
        text,
        startMs: index * 1000,
        endMs: index * 1000 + 400,
      })),
      voiced: [0, 1000, 2000].map((startMs) => ({ startMs, endMs: startMs + 400 })),
    }),
    segment(1, {
      words: [{ text: "fully", startMs: 5000, endMs: 5600 }],
      voiced: [{ startMs: 5000, endMs: 5600 }],
    }),
  ];
  async function have(
    sessionId: string,
    dayOfMonth: number,
    fields: Partial<NewSession> = {},
    segments: readonly StoredSegment[] = spoken,
  ): Promise<void> {
    const createTime = day(dayOfMonth);
    await storage.sessions.create(session(sessionId, { userId: "ann", createTime, ...fields }));
    await storage.sessions.commit(sessionId, 1, { segments, committedThrough: 96_000 });
    await storage.sessions.end(sessionId, 1, { reason: "completed", durationMs: 6000, endTime: createTime });
  }
  const ask = async (credential: string, request: { userId?: string; after?: Date } = {}) => {
    const { after, ...rest } = request;
    const { series } = await server
      .client(AnalysisService, credential)
      .getProgress({ ...rest, ...(after && { afterTime: timestampFromDate(after) }) });
    return series;
  };
  const pointsOf = (series: readonly ProgressSeries[], name: string) =>
    series
      .find(({ figure }) => figure === name)
      ?.points.map(({ sessionId, value }) => [sessionId, Math.round(value * 10) / 10]);

  test("each figure, oldest first, of the sessions that are over and have it", async () => {
    const series = await ask(server.user("ann"));
    expect(series.map(({ figure, unit }) => `${figure} in ${unit}`)).toEqual([
      "overall_score in points",
      "average_pace in words/min",
      "articulation_rate in words/min",
      "fillers_per_minute in fillers/min",
      "pauses_per_minute in pauses/min",
      "long_pauses_per_minute in pauses/min",
      "speaking_share in %",
    ]);
    expect(pointsOf(series, "overall_score")).toEqual([["first", 60]]);
    // Four words from 0 to 5.6 s; 1.8 s of voice; one filler, three pauses, one of them long; 6 s of audio.
    const each = (value: number) => ["first", "second", "third"].map((sessionId) => [sessionId, value]);
    expect(pointsOf(series, "average_pace")).toEqual(each(42.9));
    expect(pointsOf(series, "articulation_rate")).toEqual(each(133.3));
    expect(pointsOf(series, "fillers_per_minute")).toEqual(each(33.3).slice(0, 2));
    expect(pointsOf(series, "pauses_per_minute")).toEqual(each(100));
    expect(pointsOf(series, "long_pauses_per_minute")).toEqual(each(33.3));
    expect(pointsOf(series, "speaking_share")).toEqual([...each(30), ["silent", 0]]);
    const [, pace] = series;
    expect(pace?.points.map(({ sessionTime }) => timestampDate(sessionTime!))).toEqual([1, 2, 3].map(day));
  });

  test("only of sessions that began after a time", async () => {
    const series = await ask(server.user("ann"), { after: day(2) });
    expect(pointsOf(series, "average_pace")).toEqual([["third", 42.9]]);
  });

  test("a service asks for any user, and must say which; a user asks for themselves alone", async () => {
    expect(pointsOf(await ask(service, { userId: "bob" }), "average_pace")).toEqual([["bobs", 42.9]]);
    expect(await ask(service, { userId: "nobody" })).toEqual([]);
    expect(pointsOf(await ask(server.user("bob"), { userId: "bob" }), "average_pace")).toHaveLength(1);
    const codeOf = (call: Promise<unknown>) =>
      call.then(
        () => expect.unreachable(),
        (error: unknown) => ConnectError.from(error).code,
      );
    expect(await codeOf(ask(service))).toBe(Code.InvalidArgument);
    expect(await codeOf(ask(server.user("bob"), { userId: "ann" }))).toBe(Code.PermissionDenied);
  });

  test("the newest hundred", async () => {
    for (let index = 0; index < 103; index++) {
      const createTime = new Date(Date.UTC(2026, 1, 1, 0, index));
      await have(`many-${index}`, 1, { userId: "mia", createTime }, spoken.slice(0, 1));
    }
    const points = pointsOf(await ask(server.user("mia")), "average_pace");
    expect(points?.map(([sessionId]) => sessionId)).toEqual(
      Array.from({ length: 100 }, (_, index) => `many-${index + 3}`),
    );
  });
});
