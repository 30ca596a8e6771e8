/** A whole server in this process, on a free port, with a database that is gone afterwards. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { readConfig } from "../config.ts";
import { startServer } from "../main.ts";
import { CliError } from "./cli-error.ts";
import type { ServerAddress } from "./connect.ts";
import { openModelProgress } from "./screen/show-model-progress.ts";

export interface LocalServer {
  readonly address: ServerAddress;
  stop(): Promise<void>;
}

export async function startLocalServer(): Promise<LocalServer> {
  const dataDir = await mkdtemp(join(tmpdir(), "parley-local-"));
  const progress = openModelProgress(process.stderr);
  try {
    const given = readConfig();
    const server = await startServer(
      { ...given, production: false, port: 0, host: "127.0.0.1", dataDir },
      {
        // Its log would stand between the captions; what matters reaches the caller as an error.
        log: pino({ level: given.logLevel === "info" ? "fatal" : given.logLevel }, pino.destination(2)),
        throwAway: true,
        onModelProgress: (state) => progress.show(state),
      },
    );
    const stop = async () => {
      await server.stop(0);
      await rm(dataDir, { recursive: true, force: true });
    };
    try {
      await server.engineReady;
    } catch (error) {
      await stop();
      throw new CliError(error instanceof Error ? error.message : "the speech engine is not ready", 1, error);
    }
    if (server.developmentApiKey === undefined) throw new CliError("the local server has no API key");
    return { address: { url: server.url, credential: server.developmentApiKey }, stop };
  } finally {
    progress.close();
  }
}
