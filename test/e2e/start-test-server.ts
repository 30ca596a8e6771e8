/** The whole server in this process, with a database in memory and an engine that hears marks. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { readConfig } from "../../src/config.ts";
import { startServer } from "../../src/main.ts";
import type { Server, ServerOptions } from "../../src/main.ts";
import { createMarkerEngine } from "../fakes/marker-engine.ts";
import type { MarkerEngine } from "../fakes/marker-engine.ts";

export interface TestServer extends Server {
  readonly apiKey: string;
  readonly engine: MarkerEngine;
  readonly jwtSecret: string;
  /** Every line that was logged. */
  readonly logged: readonly string[];
}

export const jwtSecret = "a secret for tests, and for nothing else at all";

export async function startTestServer(
  env: Readonly<Record<string, string>> = {},
  {
    tokenSeconds,
    ...options
  }: Pick<ServerOptions, "studioFolder" | "engine"> & {
    /** Lifetime of transcription tokens, also one that configuration would not let be. */
    readonly tokenSeconds?: number;
  } = {},
): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), "parley-test-"));
  const logged: string[] = [];
  const engine = createMarkerEngine();
  const given = readConfig({
    PORT: "0",
    HOST: "127.0.0.1",
    DATA_DIR: dataDir,
    JWT_SECRET: jwtSecret,
    ...env,
  });
  const config = {
    ...given,
    jwt: { ...given.jwt, ...(tokenSeconds !== undefined && { expirySeconds: tokenSeconds }) },
  };
  const server = await startServer(config, {
    log: pino({ level: "debug" }, { write: (line: string) => void logged.push(line) }),
    throwAway: config.databaseUrl === undefined,
    engine,
    ...options,
  });
  if (server.developmentApiKey === undefined) throw new Error("the server has no development key");
  return { ...server, apiKey: server.developmentApiKey, engine, jwtSecret, logged };
}
