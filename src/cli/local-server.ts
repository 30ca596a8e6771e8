/** A whole server in this process, on a free port, with a database that is gone afterwards. */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { readConfig } from "../config.ts";
import type { Server } from "../main.ts";
import { CliError } from "./cli-error.ts";
import type { ServerAddress } from "./connect.ts";
import { unlessAborted } from "./interruptible.ts";
import { openModelProgress } from "./screen/show-model-progress.ts";

export interface LocalServer {
  readonly address: ServerAddress;
  stop(): Promise<void>;
}

/** Rejects with the signal's reason when that aborts before the server is ready. */
export async function startLocalServer(signal: AbortSignal): Promise<LocalServer> {
  const { startServer } = await import("../main.ts"); // half a second that other commands need not wait
  const given = readConfig();
  const dataDir = await mkdtemp(join(tmpdir(), "parley-local-"));
  process.once("exit", () => rmSync(dataDir, { recursive: true, force: true })); // however the command ends
  const progress = openModelProgress(process.stderr);
  let server: Server | undefined;
  try {
    server = await startServer(
      { ...given, production: false, port: 0, host: "127.0.0.1", dataDir },
      {
        // Its log would stand between the captions; what matters reaches the caller as an error.
        log: pino({ level: given.logLevel === "info" ? "fatal" : given.logLevel }, pino.destination(2)),
        throwAway: true,
        onModelProgress: (state) => progress.show(state),
      },
    );
    await unlessAborted(server.engineReady, signal);
    const { url, developmentApiKey: credential } = server;
    if (credential === undefined) throw new CliError("the local server has no API key");
    return { address: { url, credential }, stop: server.stop.bind(server, 0) };
  } catch (error) {
    await server?.stop(0);
    throw error;
  } finally {
    progress.close();
  }
}
