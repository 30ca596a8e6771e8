/**
 * The real server, killed and started again on the same port, folder and database. It watches that the processes of a killed
 * server end by themselves; it knows nothing of sessions.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, processTree, startServerProcess } from "../e2e/server-process.ts";
import type { ServerProcess } from "../e2e/server-process.ts";

/** What a process may take to notice that its parent is gone. */
const orphanMs = 5_000;

export interface ServerUnderTest {
  readonly url: string;
  readonly apiKey: string;
  /** kill -9 to the server itself, not to its children. Resolves when it is gone, with its children that did not end. */
  kill(): Promise<number[]>;
  /** Resolves when it is ready again. */
  start(): Promise<void>;
  /** Starts it and kills it so long after, before or after it is ready. Resolves as `kill`. */
  startAndKill(afterMs: number): Promise<number[]>;
  /** What it wrote since it was last started. */
  output(): string;
  /** SIGTERM, the end, and its folder removed. */
  close(): Promise<void>;
}

export async function startServerUnderTest(env: Readonly<Record<string, string>>): Promise<ServerUnderTest> {
  const dataDir = await mkdtemp(join(tmpdir(), "parley-chaos-"));
  const options = { dataDir, port: await freePort(), env: { LOG_LEVEL: "warn", ...env } };
  let server: ServerProcess = await startServerProcess(options);
  return {
    url: server.url,
    apiKey: server.apiKey,
    async kill() {
      const family = processTree(server.pid).map(identify);
      server.kill("SIGKILL");
      await server.exited;
      return orphans(family);
    },
    async start() {
      server = await startServerProcess(options);
    },
    async startAndKill(afterMs) {
      let family: Identity[] = [];
      const started = startServerProcess({
        ...options,
        onSpawned: (pid) =>
          setTimeout(() => {
            family = processTree(pid).map(identify);
            process.kill(pid, "SIGKILL");
          }, afterMs),
      });
      await started.then(
        (early) => early.exited, // it was ready sooner than it was killed
        () => undefined,
      );
      return orphans(family);
    },
    output: () => server.output(),
    async close() {
      if (startTicks(server.pid) !== undefined) await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A process by its number and its start, since numbers are used again. */
interface Identity {
  readonly pid: number;
  readonly startTicks: string;
}

function identify(pid: number): Identity {
  return { pid, startTicks: startTicks(pid) ?? "gone" };
}

async function orphans(family: readonly Identity[]): Promise<number[]> {
  const giveUpAt = performance.now() + orphanMs;
  for (;;) {
    const left = family.filter(({ pid, startTicks: since }) => startTicks(pid) === since);
    if (left.length === 0 || performance.now() > giveUpAt) return left.map(({ pid }) => pid);
    await sleep(20);
  }
}

/** Undefined when there is no such process, or only its entry is left. */
function startTicks(pid: number): string | undefined {
  if (!existsSync(`/proc/${pid}/stat`)) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined; // it ended in between
  }
}
