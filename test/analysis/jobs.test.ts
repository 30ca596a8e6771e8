import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { Interviews } from "../../src/analysis/interviews.ts";
import type { JobQueue, JobWorker } from "../../src/analysis/jobs/job-queue.ts";
import { openPgBossQueue } from "../../src/analysis/jobs/pg-boss-queue.ts";
import { systemClock } from "../../src/clock.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage } from "../../src/storage/open-storage.ts";
import { describePostgres, forEachDatabase, silentLog } from "../storage/databases.ts";
import { haveSession, loadSession } from "./load-session.ts";

const openQueues: JobQueue[] = [];

async function openQueue(storage: Storage, superviseSeconds?: number) {
  const problems: { message: string; error: unknown }[] = [];
  const queue = await openPgBossQueue({
    database: storage.jobsDatabase,
    kind: storage.kind,
    onProblem: (message, error) => problems.push({ message, error }),
    ...(superviseSeconds !== undefined && { superviseSeconds }),
  });
  openQueues.push(queue);
  return { queue, problems };
}

/** What a worker was asked to do, in order. */
function recorder(run: JobWorker["run"] = async () => undefined) {
  const runs: string[] = [];
  const givenUp: { interviewId: string; cause: string }[] = [];
  const worker: JobWorker = {
    run: async (interviewId) => {
      runs.push(interviewId);
      await run(interviewId);
    },
    giveUp: async (interviewId, cause) => {
      givenUp.push({ interviewId, cause });
    },
  };
  return { worker, runs, givenUp };
}

const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 25_000, interval: 50 });

/** Brings every retry forward, as if the time had passed. */
const hurry = (storage: Storage) =>
  storage.jobsDatabase.executeSql("update pgboss.job set start_after = now() where state = 'retry'", []);

afterEach(async () => {
  await Promise.all(openQueues.splice(0).map((queue) => queue.stop()));
});

forEachDatabase((_, open) => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await open();
  });
  afterAll(() => storage.close());

  test("a job is run once, and not again by the next worker", async () => {
    const { queue } = await openQueue(storage);
    const { worker, runs, givenUp } = recorder();
    await queue.start(worker);
    const ids = [randomUUID(), randomUUID(), randomUUID()];
    for (const id of ids) await queue.add(id);
    queue.wake();
    await until(() => {
      expect(runs.toSorted()).toEqual(ids.toSorted());
    });
    await queue.stop();

    const next = await openQueue(storage);
    const later = recorder();
    await next.queue.start(later.worker);
    const last = randomUUID();
    await next.queue.add(last);
    next.queue.wake();
    await until(() => {
      expect(later.runs).toEqual([last]);
    });
    expect(givenUp).toEqual([]);
  });

  test("a job that was added while nobody worked is done by the next worker", async () => {
    const id = randomUUID();
    const { queue } = await openQueue(storage);
    await queue.add(id);
    await queue.stop();
    const { worker, runs } = recorder();
    await (await openQueue(storage)).queue.start(worker);
    await until(() => {
      expect(runs).toEqual([id]);
    });
  });

  test("a job that fails is tried again, and is done when it succeeds", async () => {
    const { queue, problems } = await openQueue(storage);
    let fails = 2;
    const { worker, runs, givenUp } = recorder(async () => {
      if (fails-- > 0) throw new Error("not yet");
    });
    await queue.start(worker);
    const id = randomUUID();
    await queue.add(id);
    queue.wake();
    await until(async () => {
      await hurry(storage);
      expect(runs).toEqual([id, id, id]);
    });
    expect(problems.map((problem) => (problem.error as Error).message)).toEqual(["not yet", "not yet"]);
    expect(givenUp).toEqual([]);
  });

  test("a retry waits longer each time", async () => {
    const { queue } = await openQueue(storage);
    const { worker, runs } = recorder(async () => {
      throw new Error("never");
    });
    await queue.start(worker);
    const id = randomUUID();
    await queue.add(id);
    queue.wake();
    const waits: number[] = [];
    for (let count = 1; count <= 4; count++) {
      await until(async () => {
        const { rows } = await storage.jobsDatabase.executeSql(
          "select extract(epoch from start_after - now())::float8 as wait from pgboss.job where id = $1 and state = 'retry' and retry_count = $2",
          [id, count - 1],
        );
        expect(rows).toHaveLength(1);
        waits.push((rows[0] as { wait: number }).wait);
      });
      await hurry(storage);
    }
    expect(waits.at(-1)).toBeGreaterThan(waits[0]! * 2);
    await storage.jobsDatabase.executeSql("delete from pgboss.job where id = $1", [id]);
    expect(new Set(runs)).toEqual(new Set([id]));
  });

  test("a job that never succeeds is given up after six tries, with a cause for the owner", async () => {
    const { queue } = await openQueue(storage);
    const { worker, runs, givenUp } = recorder(async () => {
      throw new Error("canary");
    });
    await queue.start(worker);
    const id = randomUUID();
    await queue.add(id);
    queue.wake();
    await until(async () => {
      await hurry(storage);
      expect(givenUp).toHaveLength(1);
    });
    expect(runs).toEqual(Array.from({ length: 6 }, () => id));
    expect(givenUp).toEqual([{ interviewId: id, cause: "the analysis failed 6 times; ask for it again" }]);
  });

  test("nothing but ids is kept of a job, also when it failed", async () => {
    const { rows } = await storage.jobsDatabase.executeSql(
      "select data::text, output::text from pgboss.job",
      [],
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const { data, output } of rows as { data: string; output: string | null }[]) {
      expect(JSON.parse(data)).toEqual({ interviewId: expect.any(String) as string });
      expect(output ?? "").not.toContain("canary");
    }
  });

  test("two workers share the jobs, and no job is run twice", async () => {
    const one = await openQueue(storage);
    const other = await openQueue(storage);
    const first = recorder();
    const second = recorder();
    await one.queue.start(first.worker);
    await other.queue.start(second.worker);
    const ids = Array.from({ length: 12 }, () => randomUUID());
    await Promise.all(ids.map((id) => one.queue.add(id)));
    await until(() => {
      expect([...first.runs, ...second.runs].toSorted()).toEqual(ids.toSorted());
    });
  });

  test("stopping waits for the job under way", async () => {
    const { queue } = await openQueue(storage);
    const begun = Promise.withResolvers<undefined>();
    const goOn = Promise.withResolvers<undefined>();
    let finished = false;
    const { worker } = recorder(async () => {
      begun.resolve(undefined);
      await goOn.promise;
      finished = true;
    });
    await queue.start(worker);
    await queue.add(randomUUID());
    queue.wake();
    await begun.promise;
    const stopped = queue.stop().then(() => finished);
    goOn.resolve(undefined);
    expect(await stopped).toBe(true);
  });
});

describe("a process killed in the middle of an analysis", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "parley-jobs-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Kills a process at work with SIGKILL; resolves with the interview that it had begun. */
  async function killAtWork(dataDir: string, url: string, sessionId: string): Promise<string> {
    const program = fileURLToPath(new URL("./jobs-process.ts", import.meta.url));
    const child = spawn(process.execPath, [program, dataDir, url, sessionId], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exit = once(child, "exit");
    const lines: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      lines.push(line);
      if (line === "running") child.kill("SIGKILL");
    }
    expect(await exit).toEqual([null, "SIGKILL"]);
    expect(lines).toHaveLength(2);
    return lines[0]!;
  }

  async function finishAfterKill(open: () => Promise<Storage>, dataDir: string, url: string): Promise<void> {
    const sessionId = randomUUID();
    let storage = await open();
    await haveSession(storage, sessionId, { userId: "ada" });
    await storage.close();

    const interviewId = await killAtWork(dataDir, url, sessionId);

    storage = await open();
    try {
      expect(await storage.interviews.get(interviewId)).toMatchObject({ state: "running", userId: "ada" });
      // As if the half minute had passed in which the dead worker should have been heard of.
      const { rows } = await storage.jobsDatabase.executeSql(
        "update pgboss.job set heartbeat_on = heartbeat_on - interval '31 s' where state = 'active' returning heartbeat_on",
        [],
      );
      expect(rows).toHaveLength(1);
      expect((rows[0] as { heartbeat_on: unknown }).heartbeat_on).not.toBeNull();
      const { queue } = await openQueue(storage, 1);
      const interviews = new Interviews({
        store: storage.interviews,
        queue,
        loadSession: (id) => loadSession(storage, id),
        clock: systemClock,
      });
      await interviews.start();
      const states: string[] = [];
      let last;
      for await (last of interviews.watch(interviewId, undefined, AbortSignal.timeout(60_000)))
        states.push(last.state);
      expect(states).toEqual(["running", "done"]);
      expect(last?.report).toMatchObject({ totalWords: 60 });
      await queue.stop();
    } finally {
      await storage.close();
    }
  }

  test("leaves a job that is done after a restart, on PGlite", { timeout: 90_000 }, async () => {
    await finishAfterKill(() => openStorage({ dataDir: folder, log: silentLog }), folder, "");
  });

  describePostgres("on PostgreSQL", (url) => {
    test("leaves a job that is done after a restart", { timeout: 90_000 }, async () => {
      await finishAfterKill(
        () => openStorage({ dataDir: "unused", url: url(), log: silentLog }),
        "unused",
        url(),
      );
    });
  });
});
