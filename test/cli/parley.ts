/** Runs the parley command as a user does: as a process of its own. */
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";

export interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Sent once stdout or stderr holds the text. */
  readonly interruptAt?: string;
  /** Closes stdout once it holds the text, as `head` does. */
  readonly closeAt?: string;
}

const command = join(import.meta.dirname, "../../src/cli/main.ts");

export async function parley(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const child = spawn(process.execPath, [command, ...args], {
    env: { ...process.env, LOG_LEVEL: "info", NODE_ENV: "", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  let interrupted = false;
  const look = () => {
    if (
      options.interruptAt !== undefined &&
      !interrupted &&
      `${stdout}${stderr}`.includes(options.interruptAt)
    ) {
      interrupted = true;
      child.kill("SIGINT");
    }
    if (options.closeAt !== undefined && stdout.includes(options.closeAt)) child.stdout.destroy();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    look();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    look();
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once("error", reject);
  child.once("close", resolve);
  return { exitCode: await promise, stdout, stderr };
}

/** util-linux's `script` gives a command a terminal. */
export const hasScript = spawnSync("sh", ["-c", "script --version"]).stdout.includes("util-linux");

export interface TerminalRun {
  readonly exitCode: number | null;
  /** Everything written to the terminal, with its escape sequences. */
  readonly screen: string;
}

/** Runs it on a terminal, and types Ctrl-C once that shows the text. */
export async function parleyOnTerminal(
  args: readonly string[],
  options: { readonly env: Readonly<Record<string, string>>; readonly interruptAt: string },
): Promise<TerminalRun> {
  const line = [process.execPath, command, ...args].map((word) => `'${word}'`).join(" ");
  const child = spawn(
    "script",
    ["--quiet", "--flush", "--return", "--command", `stty cols 80 rows 24; exec ${line}`, "/dev/null"],
    {
      env: { ...process.env, NODE_ENV: "", TERM: "xterm", CI: "", ...options.env },
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  let screen = "";
  let interrupted = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    screen += text;
    if (interrupted || !screen.includes(options.interruptAt)) return;
    interrupted = true;
    child.stdin.write("\u0003");
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once("error", reject);
  child.once("close", resolve);
  return { exitCode: await promise, screen };
}
