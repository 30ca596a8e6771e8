/**
 * Looks at everything the configuration names, as the server would use it, and says of each whether it works. Like
 * main.ts it knows all parts; it changes nothing and serves nobody.
 */
import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { createSecureContext } from "node:tls";
import { pino } from "pino";
import { ConfigError, readConfig } from "./config.ts";
import type { Config } from "./config.ts";
import { openStorage } from "./storage/open-storage.ts";
import { checkModels } from "./transcription/engines/offline/model/check-models.ts";

export interface Finding {
  readonly subject: string;
  /** `warning`: it works, and deserves a look. */
  readonly state: "ok" | "warning" | "wrong";
  readonly detail: string;
}

/** One finding after the other, as they are made. Never throws for what it finds. */
export async function* diagnose(): AsyncGenerator<Finding> {
  yield nodeVersion();
  let config: Config;
  try {
    config = readConfig();
    yield { subject: "configuration", state: "ok", detail: config.production ? "production" : "development" };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) yield { subject: "configuration", state: "wrong", detail: problem };
    return;
  }
  yield await portOf(config);
  yield await databaseOf(config);
  yield* modelsOf(config);
  if (config.tls) yield await tlsOf(config.tls);
  if (config.livekit) yield await liveKitOf(config.livekit.url);
}

function nodeVersion(): Finding {
  const [major = 0] = process.versions.node.split(".").map(Number);
  const detail = `Node ${process.versions.node}`;
  return major >= 24
    ? { subject: "node", state: "ok", detail }
    : { subject: "node", state: "wrong", detail: `${detail}; 24 or newer is needed ("npm ci" brings it)` };
}

async function portOf({ port, host }: Config): Promise<Finding> {
  const subject = "port";
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
    return { subject, state: "ok", detail: `${port} is free` };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === "EADDRINUSE"
      ? { subject, state: "warning", detail: `${port} is in use; by Parley itself, if it runs` }
      : { subject, state: "wrong", detail: `${host}:${port} cannot be listened on (${code ?? "error"})` };
  } finally {
    server.close();
  }
}

async function databaseOf(config: Config): Promise<Finding> {
  const subject = "database";
  try {
    const storage = await openStorage({
      dataDir: config.dataDir,
      ...(config.databaseUrl !== undefined && { url: config.databaseUrl }),
      log: pino({ level: "silent" }),
    });
    const { ready, detail } = await storage.health();
    await storage.close();
    return { subject, state: ready ? "ok" : "wrong", detail: `${storage.kind}: ${detail}` };
  } catch (error) {
    const isLocked = error instanceof Error && "code" in error && error.code === "locked";
    const detail = error instanceof Error ? error.message : "it cannot be opened";
    return { subject, state: isLocked ? "warning" : "wrong", detail };
  }
}

async function* modelsOf({ speech: { modelDir } }: Config): AsyncGenerator<Finding> {
  const subject = "speech models";
  try {
    await access(modelDir, constants.R_OK);
  } catch {
    yield {
      subject,
      state: "warning",
      detail: `${modelDir} is not there yet; the models are fetched at the first start`,
    };
    return;
  }
  const bad = (await checkModels(modelDir)).filter((check) => check.state !== "ok");
  if (bad.length === 0) yield { subject, state: "ok", detail: modelDir };
  for (const check of bad) {
    yield check.state === "missing"
      ? { subject, state: "warning", detail: `${check.file} is missing; it is fetched at the next start` }
      : {
          subject,
          state: "wrong",
          detail: `${check.file} has a wrong hash; delete it, and it is fetched again`,
        };
  }
}

async function tlsOf(tls: NonNullable<Config["tls"]>): Promise<Finding> {
  const subject = "tls";
  try {
    createSecureContext({ cert: await readFile(tls.certFile), key: await readFile(tls.keyFile) });
    return { subject, state: "ok", detail: tls.certFile };
  } catch (error) {
    const reason = error instanceof Error ? error.message : "error";
    return { subject, state: "wrong", detail: `certificate and key cannot be used together: ${reason}` };
  }
}

const liveKitTimeoutMs = 3_000;

async function liveKitOf(url: string): Promise<Finding> {
  const subject = "livekit";
  try {
    const answer = await fetch(url.replace(/^ws/, "http"), { signal: AbortSignal.timeout(liveKitTimeoutMs) });
    return answer.ok
      ? { subject, state: "ok", detail: `${url} answers` }
      : { subject, state: "warning", detail: `${url} answers with HTTP ${answer.status}` };
  } catch {
    return { subject, state: "wrong", detail: `${url} does not answer` };
  }
}
