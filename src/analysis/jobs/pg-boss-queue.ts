/** The queue of interviews on pg-boss, in the schema `pgboss` of Parley's own database. Job payloads hold an id only. */
import { PgBoss } from "pg-boss";
import type { JobQueue, JobWorker } from "./job-queue.ts";

export interface PgBossQueueOptions {
  readonly database: { executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }> };
  readonly kind: "pglite" | "postgres";
  /** How often jobs are sought whose worker died, in seconds. Default 15; at least 1. */
  readonly superviseSeconds?: number;
  /** Something an operator should see; the queue goes on. */
  readonly onProblem: (message: string, error: unknown) => void;
}

interface Job {
  readonly interviewId: string;
}

const queueName = "analyze-interview";
/** Where pg-boss puts jobs whose tries are used up, also those whose process died each time. */
const givenUpName = "analyze-interview-given-up";
const retryLimit = 5;
const expireInSeconds = 300;
/** A worker that was not heard of for so long is dead, and its job is another's. */
const heartbeatSeconds = 30;
const defaultSuperviseSeconds = 15;
const pollingIntervalSeconds = 0.5;

export async function openPgBossQueue(options: PgBossQueueOptions): Promise<JobQueue> {
  const superviseSeconds = options.superviseSeconds ?? defaultSuperviseSeconds;
  const boss = new PgBoss({
    db: options.database,
    backend: options.kind,
    schedule: false,
    superviseIntervalSeconds: superviseSeconds,
    monitorIntervalSeconds: superviseSeconds,
  });
  boss.on("error", (error) => options.onProblem("the job queue failed", error));
  await boss.start();
  await boss.createQueue(givenUpName, { retryLimit: 10, retryDelay: 5, heartbeatSeconds });
  await boss.createQueue(queueName, {
    retryLimit,
    retryDelay: 1,
    retryBackoff: true,
    expireInSeconds,
    heartbeatSeconds,
    deadLetter: givenUpName,
  });
  let workerId: string | undefined;
  return {
    async add(interviewId) {
      await boss.send(queueName, { interviewId } satisfies Job, { id: interviewId });
    },
    async start(worker) {
      workerId = await work(boss, queueName, (job) => worker.run(job.interviewId), options);
      await work(boss, givenUpName, (job) => giveUp(worker, job), options);
    },
    wake() {
      if (workerId !== undefined) boss.notifyWorker(workerId);
    },
    stop: () => boss.stop({ graceful: true, timeout: 5_000 }),
  };
}

function work(
  boss: PgBoss,
  queue: string,
  run: (job: Job) => Promise<void>,
  options: PgBossQueueOptions,
): Promise<string> {
  return boss.work<Job>(queue, { pollingIntervalSeconds, batchSize: 1 }, async (jobs) => {
    for (const job of jobs) {
      try {
        await run(job.data);
      } catch (error) {
        options.onProblem("an analysis failed and is tried again", error);
        throw new Error("the analysis failed"); // pg-boss stores the message; the cause may hold words
      }
    }
  });
}

async function giveUp(worker: JobWorker, job: Job): Promise<void> {
  await worker.giveUp(job.interviewId, `the analysis failed ${retryLimit + 1} times; ask for it again`);
}
