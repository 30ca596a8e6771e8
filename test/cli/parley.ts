/** Runs the parley command as a user does: as a process of its own. */
import { spawn } from "node:child_process";
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
