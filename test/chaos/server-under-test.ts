/**
 * The real server, killed and started again on the same port, folder and database. It watches that the processes of a
 * killed server end by themselves; it knows nothing of sessions.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startServerProcess } from "../e2e/server-process.ts";
import type { ServerProcess } from "../e2e/server-process.ts";
import { familyOf, survivors } from "./processes.ts";
import type { ProcessIdentity } from "./processes.ts";

/** What a process may take to notice that its parent is gone. */
const orphanMs = 5_000;

export interface ServerUnderTest {
  readonly url: string;
  readonly apiKey: string;
  /**
   * kill -9 to the server itself, not to its children. Resolves when it is gone, with its children that did not end.
   */
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
  let hasEnded = false;
  return {
    url: server.url,
    apiKey: server.apiKey,
    async kill() {
      const family = familyOf(server.pid);
      server.kill("SIGKILL");
      await server.exited;
      hasEnded = true;
      return survivors(family, orphanMs);
    },
    async start() {
      server = await startServerProcess(options);
      hasEnded = false;
    },
    async startAndKill(afterMs) {
      let family: ProcessIdentity[] = [];
      const started = startServerProcess({
        ...options,
        onSpawned: (pid) =>
          setTimeout(() => {
            family = familyOf(pid);
            process.kill(pid, "SIGKILL");
          }, afterMs),
      });
      await started.then(
        (early) => early.exited, // it was ready sooner than it was killed
        () => undefined,
      );
      return survivors(family, orphanMs);
    },
    output: () => server.output(),
    async close() {
      if (!hasEnded) await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
