/**
 * `npm run soak`: many streams at real time for a long time, against the server in a process of its own, and its memory
 * every few seconds. Exits with 1 when growth beyond the bound cannot be excluded, or anything else went wrong.
 */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { createScratchDatabase, postgresMissing } from "../chaos/postgres.ts";
import { createRandom } from "../chaos/random.ts";
import { processTree, startServerProcess } from "../e2e/server-process.ts";
import { mintTranscriptionToken } from "../e2e/speech-client.ts";
import { startTcpProxy } from "../fakes/tcp-proxy.ts";
import { readSoakOptions, usage } from "./options.ts";
import { soakUntil } from "./speaking.ts";
import type { SoakCounts } from "./speaking.ts";
import { judgeGrowth } from "./trend.ts";
import type { Sample } from "./trend.ts";

const sampleEveryMs = 3_000;
const cutEveryMs = 20_000;
/**
 * What memory may have grown by over the measured time. In a short run it has not reached its size: only a gross leak
 * shows.
 */
const boundMb = (minutes: number) => (minutes >= 10 ? 16 : 64);
/** Of the time, and at most: what the heap and the database need to reach their size. */
const warmUpShare = 1 / 3;
const longestWarmUpMs = 6 * 60_000;

const options = (() => {
  try {
    return readSoakOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : "?"}\n${usage}`);
    process.exit(2);
  }
})();
const missing = await postgresMissing();
const database = missing === undefined ? await createScratchDatabase() : undefined;
const server = await startServerProcess({
  script: "test/soak/server.ts",
  env: {
    LOG_LEVEL: "error",
    SOAK_LEAK_KB: String(options.leakKb),
    ...(database && { DATABASE_URL: database.url }),
  },
});
console.log(
  `${options.streams} streams for ${options.minutes} min on ${database ? "PostgreSQL" : `PGlite (${missing})`}; ` +
    `${cpus()[0]?.model ?? "?"}, ${availableParallelism()} cores, Node ${process.versions.node}`,
);
/** connect-node may leave the error of a connection that is reset to nobody, which would end this process. */
let unhandledResets = 0;
process.on("uncaughtException", (error: NodeJS.ErrnoException) => {
  if (error.code !== "ECONNRESET" || unhandledResets++ > 1_000) throw error;
});
try {
  process.exitCode = (await soak()) ? 0 : 1;
} finally {
  await server.stop();
  await database?.drop();
}
process.exit();

async function soak(): Promise<boolean> {
  const durationMs = options.minutes * 60_000;
  const warmUpMs = Math.min(durationMs * warmUpShare, longestWarmUpMs);
  const startedAt = performance.now();
  const counts: SoakCounts = { sessions: 0, streams: 0, events: 0, audioMs: 0, errors: new Map() };
  const isOver = () => performance.now() - startedAt > durationMs;
  const proxy = await startTcpProxy({ host: "127.0.0.1", port: Number(new URL(server.url).port) });
  const cutting = setInterval(() => proxy.cut(), cutEveryMs);

  const samples: Sample[] = [];
  const sampling = setInterval(() => {
    const atMs = performance.now() - startedAt;
    if (atMs >= warmUpMs && !isOver()) samples.push({ atMs, mb: residentMb() });
  }, sampleEveryMs);

  await Promise.all(
    Array.from({ length: options.streams }, (_, index) => {
      const isCut = index % 10 === 1 || index % 10 === 5;
      return soakUntil({
        url: isCut ? `http://127.0.0.1:${proxy.port}` : server.url,
        mintToken: () => mintTranscriptionToken(server.url, server.apiKey, `speaker-${index}`),
        random: createRandom(options.seed + index),
        counts,
        isSlow: index % 10 === 3,
        isCut,
        until: isOver,
      });
    }),
  );
  clearInterval(sampling);
  clearInterval(cutting);
  await proxy.close();
  return report(samples, counts);
}

function report(samples: readonly Sample[], counts: SoakCounts): boolean {
  const bound = boundMb(options.minutes);
  const growth = judgeGrowth(samples, bound);
  const mbs = samples.map((sample) => sample.mb);
  const minutes = (samples.at(-1)!.atMs - samples[0]!.atMs) / 60_000;
  const show = (mb: number | undefined) => `${(mb ?? Number.NaN).toFixed(1)} MB`;
  console.log(
    `memory (resident, all processes of the server), over the last ${minutes.toFixed(1)} min: ` +
      `start ${show(mbs[0])}, end ${show(mbs.at(-1))}, peak ${show(Math.max(...mbs))}, ` +
      `high-water mark of the process ${show(statusMb(server.pid, "VmHWM"))}`,
  );
  console.log(
    `slope ${growth.mbPerHour.toFixed(1)} ± ${growth.standardErrorMbPerHour.toFixed(1)} MB/hour ` +
      `(one standard error, ${samples.length} samples); grown by at most ${show(growth.atMostMb)} ` +
      `(slope and two standard errors), bound ${bound} MB: ${growth.passes ? "pass" : "FAIL"}`,
  );
  console.log(
    `${counts.sessions} sessions in ${counts.streams} streams, ${(counts.audioMs / 3_600_000).toFixed(2)} h of audio, ` +
      `${counts.events} events`,
  );
  const errors = [...counts.errors].map(([what, times]) => `${times} × ${what}`);
  if (unhandledResets > 0)
    console.log(`resets that connect-node left unhandled in the client: ${unhandledResets}`);
  console.log(`errors: ${errors.length === 0 ? "none" : errors.join("; ")}`);
  return growth.passes && errors.length === 0 && counts.sessions > 0;
}

function residentMb(): number {
  return processTree(server.pid).reduce((total, pid) => total + statusMb(pid, "VmRSS"), 0);
}

/** 0 for a process that has just ended. */
function statusMb(pid: number, field: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
