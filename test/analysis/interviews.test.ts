import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Interviews } from "../../src/analysis/interviews.ts";
import type {
  InterviewOwner,
  InterviewRequest,
  InterviewsDependencies,
} from "../../src/analysis/interviews.ts";
import type { StoredInterview } from "../../src/analysis/interview-store.ts";
import type { JobQueue } from "../../src/analysis/jobs/job-queue.ts";
import { openPgBossQueue } from "../../src/analysis/jobs/pg-boss-queue.ts";
import { systemClock } from "../../src/clock.ts";
import type { Storage } from "../../src/storage/open-storage.ts";
import { forEachDatabase } from "../storage/databases.ts";
import { haveSession, loadSession } from "./load-session.ts";

const answer =
  "Last year our shop lost customers. My task was to find out why. I called thirty of them and then changed how we " +
  "answered letters. As a result complaints fell by half within three months.";

forEachDatabase((_, open) => {
  let storage: Storage;
  let queue: JobQueue;
  let interviews: Interviews;
  /** Sessions that cannot be read, for as long as they are in here. */
  const broken = new Set<string>();
  const ended = `ended-${randomUUID()}`;
  const running = `running-${randomUUID()}`;
  const ada: InterviewOwner = { userId: "ada" };

  beforeAll(async () => {
    storage = await open();
    queue = await openPgBossQueue({
      database: storage.jobsDatabase,
      kind: storage.kind,
      onProblem: () => undefined,
    });
    interviews = interviewsWith({});
    await interviews.start();
    await haveSession(storage, ended, { userId: "ada", roomName: "room" });
    await haveSession(storage, running, { userId: "ada", roomName: "room", ended: false });
  });
  afterAll(async () => {
    await queue.stop();
    await storage.close();
  });

  function interviewsWith(parts: Partial<InterviewsDependencies>): Interviews {
    return new Interviews({
      store: storage.interviews,
      queue,
      async loadSession(sessionId) {
        if (broken.has(sessionId)) throw new Error("canary: the words could not be read");
        return loadSession(storage, sessionId);
      },
      clock: systemClock,
      ...parts,
    });
  }

  async function watchAll(interviewId: string, owner?: InterviewOwner): Promise<StoredInterview[]> {
    const seen: StoredInterview[] = [];
    for await (const interview of interviews.watch(interviewId, owner, AbortSignal.timeout(20_000)))
      seen.push(interview);
    return seen;
  }

  const refused = (request: InterviewRequest, owner: InterviewOwner | undefined, code: string) =>
    expect(interviews.request(request, owner)).rejects.toMatchObject({ name: "AnalysisError", code });

  test("an ended session is analysed, and its report says what was said", async () => {
    const { interviewId, state } = await interviews.request({ sessionId: ended, difficulty: "hard" }, ada);
    expect(state).toBe("queued");
    const seen = await watchAll(interviewId, ada);
    expect(seen.at(-1)).toMatchObject({
      state: "done",
      userId: "ada",
      roomName: "room",
      sessionId: ended,
      difficulty: "hard",
      report: { rulesVersion: 1, totalWords: 60 },
    });
  });

  test("a text alone is analysed", async () => {
    const { interviewId } = await interviews.request({
      userId: "ada",
      candidateAnswer: answer,
      caseQuestion: "Why did the shop lose customers?",
    });
    const seen = await watchAll(interviewId);
    const last = seen.at(-1);
    expect(last).toMatchObject({ state: "done", candidateAnswer: answer });
    expect(last).not.toHaveProperty("sessionId");
    expect(last?.report?.totalWords).toBe(answer.split(" ").length);
    expect(last?.report?.practices).toHaveLength(3);
  });

  test("states only go forward, and each is seen once", async () => {
    const { interviewId } = await interviews.request({ userId: "ada", candidateAnswer: answer });
    const states = (await watchAll(interviewId)).map((interview) => interview.state);
    const order = ["queued", "running", "done"];
    expect(states).toEqual(order.filter((state) => states.includes(state as never)));
    expect(states.at(-1)).toBe("done");
    expect((await watchAll(interviewId)).map((interview) => interview.state)).toEqual(["done"]);
  });

  describe("a request is refused", () => {
    test("without a session and without a text", () => refused({ userId: "ada" }, undefined, "invalid"));
    test("without a session and without a user", () =>
      refused({ candidateAnswer: answer }, undefined, "invalid"));
    test("for a session that still runs", () => refused({ sessionId: running }, ada, "not-ready"));
    test("for a session that is not there", () => refused({ sessionId: "none" }, undefined, "not-found"));
    test("for another user's session", () => refused({ sessionId: ended }, { userId: "bob" }, "not-found"));
    test("for another user's session that still runs, in the same words as for none", async () => {
      const other = await interviews
        .request({ sessionId: running }, { userId: "bob" })
        .catch((e: unknown) => e);
      const none = await interviews
        .request({ sessionId: "none" }, { userId: "bob" })
        .catch((e: unknown) => e);
      expect((other as Error).message).toBe((none as Error).message);
    });
    test("for an own session of another room", () =>
      refused({ sessionId: ended }, { userId: "ada", roomName: "other" }, "not-found"));
    test("when it names another user than the session's", () =>
      refused({ sessionId: ended, userId: "bob" }, undefined, "invalid"));
  });

  test("a refused request leaves neither an interview nor a job", async () => {
    const count = async () => {
      const { rows } = await storage.jobsDatabase.executeSql(
        "select (select count(*) from interviews)::int as interviews, (select count(*) from pgboss.job)::int as jobs",
        [],
      );
      return rows[0] as unknown;
    };
    const before = await count();
    await interviews.request({ sessionId: running }, ada).catch(() => undefined);
    await interviews.request({ sessionId: ended }, { userId: "bob" }).catch(() => undefined);
    await interviews.request({ candidateAnswer: answer }).catch(() => undefined);
    expect(await count()).toEqual(before);
  });

  test("an interview is there for its owner and for services, and for nobody else", async () => {
    const { interviewId } = await interviews.request({ userId: "ada", candidateAnswer: answer });
    for (const owner of [ada, undefined]) {
      expect(await interviews.get(interviewId, owner)).toMatchObject({ interviewId });
    }
    const notFound = { name: "AnalysisError", code: "not-found" };
    await expect(interviews.get(interviewId, { userId: "bob" })).rejects.toMatchObject(notFound);
    await expect(interviews.get("none")).rejects.toMatchObject(notFound);
    await expect(watchAll(interviewId, { userId: "bob" })).rejects.toMatchObject(notFound);
    await expect(watchAll("none")).rejects.toMatchObject(notFound);
  });

  test("watching ends with its signal", async () => {
    await haveSession(storage, `held-${ended}`, { userId: "ada" });
    const idle = interviewsWith({ queue: { ...queue, add: async () => undefined, wake: () => undefined } });
    const { interviewId } = await idle.request({ sessionId: `held-${ended}` });
    const controller = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { state } of idle.watch(interviewId, ada, controller.signal)) {
        seen.push(state);
        controller.abort(new Error("left"));
      }
    })();
    await expect(watching).rejects.toThrow("left");
    expect(seen).toEqual(["queued"]);
  });

  test("watching says nothing again while nothing changes", async () => {
    const { interviews: store } = storage;
    const controller = new AbortController();
    let looks = 0;
    const idle = interviewsWith({
      queue: { ...queue, add: async () => undefined, wake: () => undefined },
      store: {
        ...store,
        get: (id) => {
          if (++looks === 5) controller.abort(new Error("seen enough"));
          return store.get(id);
        },
      },
      clock: {
        now: Date.now,
        after: (_ms, callback) => {
          const immediate = setImmediate(callback);
          return () => {
            clearImmediate(immediate);
          };
        },
      },
    });
    const { interviewId } = await idle.request({ userId: "ada", candidateAnswer: answer });
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { state } of idle.watch(interviewId, ada, controller.signal)) seen.push(state);
    })();
    await expect(watching).rejects.toThrow("seen enough");
    expect(looks).toBe(5);
    expect(seen).toEqual(["queued"]);
  });

  test("an analysis that fails is tried again, and done when it succeeds", async () => {
    const sessionId = `mended-${randomUUID()}`;
    await haveSession(storage, sessionId, { userId: "ada" });
    const { interviewId } = await interviews.request({ sessionId });
    broken.add(sessionId);
    await vi.waitFor(async () => {
      const { rows } = await storage.jobsDatabase.executeSql(
        "update pgboss.job set start_after = now() where id = $1 and state = 'retry' returning id",
        [interviewId],
      );
      // The first run may have been over before the session broke.
      expect(rows.length === 1 || (await interviews.get(interviewId)).state === "done").toBe(true);
      broken.delete(sessionId);
    }, 20_000);
    expect((await watchAll(interviewId)).at(-1)).toMatchObject({ state: "done" });
  });

  test("an analysis that always fails ends as FAILED, with a cause that its owner can read and without words", async () => {
    const sessionId = `broken-${randomUUID()}`;
    await haveSession(storage, sessionId, { userId: "ada" });
    const withBreak = interviewsWith({
      queue: {
        ...queue,
        async add(id) {
          broken.add(sessionId);
          await queue.add(id);
        },
      },
    });
    const { interviewId } = await withBreak.request({ sessionId });
    await vi.waitFor(
      async () => {
        await storage.jobsDatabase.executeSql(
          "update pgboss.job set start_after = now() where id = $1 and state = 'retry'",
          [interviewId],
        );
        expect((await interviews.get(interviewId)).state).toBe("failed");
      },
      { timeout: 25_000, interval: 50 },
    );
    const [failed] = await watchAll(interviewId, ada);
    expect(failed).toMatchObject({
      state: "failed",
      failureCause: "the analysis failed 6 times; ask for it again",
    });
    expect(failed).not.toHaveProperty("report");
    broken.delete(sessionId);
    const again = await interviews.request({ sessionId });
    expect((await watchAll(again.interviewId)).at(-1)).toMatchObject({ state: "done" });
  });

  test("a session that was deleted before its turn ends as FAILED and says so", async () => {
    const sessionId = `deleted-${randomUUID()}`;
    await haveSession(storage, sessionId, { userId: "ada" });
    const withDeletion = interviewsWith({
      queue: {
        ...queue,
        async add(id) {
          for (const table of ["segments", "sessions"]) {
            await storage.jobsDatabase.executeSql(`delete from ${table} where session_id = $1`, [sessionId]);
          }
          await queue.add(id);
        },
      },
    });
    const { interviewId } = await withDeletion.request({ sessionId });
    expect((await watchAll(interviewId)).at(-1)).toMatchObject({
      state: "failed",
      failureCause: "the session was deleted before it was analysed",
    });
  });

  test("a session that is about to end is queued with what its stream was told", async () => {
    const sessionId = `ending-${randomUUID()}`;
    await haveSession(storage, sessionId, { userId: "ada", roomName: "room" });
    const interviewId = randomUUID();
    const told = { userId: "ada", roomName: "room", caseQuestion: "Why?", difficulty: "easy" } as const;
    await interviews.requestForEndingSession({ interviewId, sessionId, ...told });
    await interviews.requestForEndingSession({ interviewId, sessionId, ...told }); // as after a lost answer
    expect((await interviews.list({ sessionId }, { size: 10 })).items).toHaveLength(1);
    expect((await watchAll(interviewId, ada)).at(-1)).toMatchObject({
      state: "done",
      sessionId,
      roomName: "room",
      caseQuestion: "Why?",
      difficulty: "easy",
    });
  });

  test("when the queue takes no job, there is no interview that nobody works on", async () => {
    const sessionId = `unqueued-${randomUUID()}`;
    await haveSession(storage, sessionId, { userId: "ada" });
    const unqueued = interviewsWith({
      queue: { ...queue, add: () => Promise.reject(new Error("no queue")) },
    });
    await expect(unqueued.request({ sessionId })).rejects.toThrow("no queue");
    expect((await interviews.list({ sessionId }, { size: 10 })).items).toEqual([]);
  });
});
