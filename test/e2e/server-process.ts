/** The real server as a process of its own, as `npm start` runs it: started, asked, measured, killed. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface ServerProcess {
  readonly url: string;
  readonly dataDir: string;
  readonly apiKey: string;
  /** The process of the server itself. */
  readonly pid: number;
  /** From starting it until it said that it was ready. */
  readonly startMs: number;
  /** What it has written to stdout and stderr. */
  readonly output: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Resolves with the exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
}

export interface ServerProcessOptions {
  /** Default: a new folder. */
  readonly dataDir?: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Starts it as `npm start` does; npm is then one more process. Default: directly. */
  readonly throughNpm?: boolean;
  /** The program in place of the server's own, from the root of the checkout. */
  readonly script?: string;
  /** Called as soon as the process is there, long before it is ready. */
  readonly onSpawned?: (pid: number) => void;
}

const root = join(import.meta.dirname, "../..");
const startTimeoutMs = 120_000;

export async function startServerProcess(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "parley-test-")));
  const port = options.port ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const startedAt = performance.now();
  const [command, args] = options.throughNpm
    ? ["npm", ["start"]]
    : [process.execPath, ["--max-semi-space-size=8", join(root, options.script ?? "src/start.ts")]];
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, PORT: String(port), HOST: "127.0.0.1", DATA_DIR: dataDir, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (output += bytes.toString()));
  const exited = new Promise<number | string>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal ?? -1));
  });
  options.onSpawned?.(child.pid!);
  await untilReady(url, child, () => output);
  const startMs = performance.now() - startedAt;
  // npm puts itself and a shell above the server.
  const pid = options.throughNpm ? processTree(child.pid!).find(isServer)! : child.pid!;
  const secrets = JSON.parse(await readFile(join(dataDir, "secrets.json"), "utf8")) as {
    developmentApiKey: string;
  };
  return {
    url,
    dataDir,
    apiKey: secrets.developmentApiKey,
    pid,
    startMs,
    output: () => output,
    kill: (signal) => process.kill(pid, signal),
    exited,
    async stop() {
      process.kill(pid, "SIGTERM");
      await exited;
    },
  };
}

async function untilReady(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const giveUpAt = performance.now() + startTimeoutMs;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the server ended with ${child.exitCode ?? child.signalCode}:\n${output()}`);
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (answer?.ok) return;
    if (performance.now() > giveUpAt) {
      child.kill("SIGKILL");
      throw new Error(`the server was not ready within ${startTimeoutMs} ms:\n${output()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A process and all that descend from it. Linux only: reads /proc. */
export function processTree(pid: number): number[] {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), parent: parentOf(Number(name)) }));
  const tree = [pid];
  for (const found of tree) {
    tree.push(...parents.filter((process) => process.parent === found).map((process) => process.pid));
  }
  return tree;
}

/** Processor time of one process, all its threads, in seconds. */
export function cpuSeconds(pid: number): number {
  const fields = statFields(pid);
  return (Number(fields[11]) + Number(fields[12])) / 100; // utime and stime, in ticks of 10 ms
}

/** Memory of processes in MB: `rss` counts shared pages in each, `pss` divides them among those that share them. */
export function memoryMb(pids: readonly number[]): { rss: number; pss: number } {
  const sum = (field: string) =>
    pids.reduce((total, pid) => {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
      return total + Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(rollup)?.[1] ?? 0) / 1024;
    }, 0);
  return { rss: sum("Rss"), pss: sum("Pss") };
}

function isServer(pid: number): boolean {
  const [program = "", ...args] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  return program.endsWith("node") && args.includes("src/start.ts");
}

function parentOf(pid: number): number {
  try {
    return Number(statFields(pid)[1]);
  } catch {
    return -1; // it has ended in the meantime
  }
}

/** The fields after the command's name: state, parent, … */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
