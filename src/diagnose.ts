/**
 * Looks at everything the configuration names, as the server would use it, and says of each whether it works. Like
 * main.ts it knows all parts, and is long for that; it serves nobody, and makes nothing that is not there.
 */
import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { createSecureContext } from "node:tls";
import { pino } from "pino";
import { systemClock } from "./clock.ts";
import { ConfigError, readConfig } from "./config.ts";
import type { Config, Environment, OidcIssuer } from "./config.ts";
import { readJitsiSettings, readJwtKeys } from "./read-key-files.ts";
import { checkRedis, openStorage } from "./storage/open-storage.ts";
import { IssuerError } from "./token/users/oidc/issuer-error.ts";
import { findJwksUrl, loadKeys } from "./token/users/oidc/load-keys.ts";
import type { LoadedKeys } from "./token/users/oidc/load-keys.ts";
import type { LiveKitSettings } from "./token/targets/livekit/issue-token.ts";
import { LiveKitServer } from "./token/targets/livekit/livekit-server.ts";
import type { LiveKitStatus } from "./token/targets/livekit/livekit-server.ts";
import { checkAccount } from "./transcription/engines/deepgram/check-account.ts";
import { checkModels } from "./transcription/engines/offline/model/check-models.ts";

export interface Finding {
  readonly subject: string;
  /** `warning`: it works, and deserves a look. */
  readonly state: "ok" | "warning" | "wrong";
  readonly detail: string;
}

export interface DiagnoseOptions {
  /** Default: the process's own. */
  readonly env?: Environment;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Default: this process's. */
  readonly nodeVersion?: string;
}

/** One finding after the other, as they are made. Never throws for what it finds. */
export async function* diagnose(options: DiagnoseOptions = {}): AsyncGenerator<Finding> {
  const { env, now = Date.now, nodeVersion = process.versions.node } = options;
  yield nodeOf(nodeVersion);
  yield clockOf(now());
  let config: Config;
  try {
    config = readConfig(env); // undefined: the process's own
    yield { subject: "configuration", state: "ok", detail: config.production ? "production" : "development" };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) yield { subject: "configuration", state: "wrong", detail: problem };
    return;
  }
  yield* unusedOf(config);
  if (config.tls) yield await tlsOf(config.tls);
  yield* signingKeysOf(config);
  yield await portOf(config);
  yield await databaseOf(config);
  yield* redisOf(config);
  yield* deepgramOf(config);
  if (config.speech.engines.includes("offline")) yield* modelsOf(config);
  for (const issuer of config.oidc.issuers) yield await oidcOf(issuer, now);
  if (config.livekit) yield await liveKitOf(config.livekit, now);
}

function nodeOf(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const detail = `Node ${version}`;
  return major > 24 || (major === 24 && minor >= 2)
    ? { subject: "node", state: "ok", detail }
    : { subject: "node", state: "wrong", detail: `${detail}; 24.2 or newer is needed ("npm ci" brings it)` };
}

/** A machine that lost its clock stands at 1970 or at its making; this code is younger. */
const earliestNow = Date.UTC(2026, 0);

function clockOf(nowMs: number): Finding {
  const detail = new Date(nowMs).toISOString();
  return nowMs >= earliestNow
    ? { subject: "clock", state: "ok", detail }
    : { subject: "clock", state: "wrong", detail: `${detail} cannot be; no token would be in time` };
}

/** What is set and has no effect yet would otherwise look as if it had been found to be in order. */
function* unusedOf(config: Config): Generator<Finding> {
  const { retention } = config;
  const isSet: Readonly<Record<string, boolean>> = {
    OPENAI_API_KEY: config.openai !== undefined,
    RETENTION_TRANSCRIPT_DAYS: retention.transcriptDays !== undefined,
    RETENTION_ANALYSIS_DAYS: retention.analysisDays !== undefined,
  };
  for (const [name, set] of Object.entries(isSet)) {
    if (set)
      yield {
        subject: "configuration",
        state: "warning",
        detail: `${name} is set, and this version does not use it yet`,
      };
  }
}

/** Files with keys that tokens are signed with. */
async function* signingKeysOf(config: Config): AsyncGenerator<Finding> {
  const subject = "signing keys";
  try {
    const keys = await readJwtKeys(config);
    if (keys) yield { subject, state: "ok", detail: `Ed25519, ${keys.published.length} published` };
    const jitsi = await readJitsiSettings(config);
    if (jitsi) yield { subject, state: "ok", detail: `Jitsi, ${jitsi.key.alg}` };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) yield { subject, state: "wrong", detail: problem };
  }
}

async function tlsOf(tls: NonNullable<Config["tls"]>): Promise<Finding> {
  const subject = "tls";
  const wrong = (detail: string): Finding => ({ subject, state: "wrong", detail });
  const read = (file: string) => readFile(file).catch(() => undefined);
  const cert = await read(tls.certFile);
  if (!cert) return wrong(`TLS_CERT_FILE: ${tls.certFile} cannot be read`);
  const key = await read(tls.keyFile);
  if (!key) return wrong(`TLS_KEY_FILE: ${tls.keyFile} cannot be read`);
  try {
    createSecureContext({ cert, key });
    return { subject, state: "ok", detail: tls.certFile };
  } catch (error) {
    const reason = error instanceof Error ? error.message : "error";
    return wrong(`certificate and key cannot be used together (${reason})`);
  }
}

async function portOf(config: Config): Promise<Finding> {
  const subject = "port";
  const { port, host } = config;
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
    return { subject, state: "ok", detail: port === 0 ? "a free one is taken" : `${port} is free` };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EADDRINUSE") {
      return {
        subject,
        state: "wrong",
        detail: `${host}:${port} cannot be listened on (${code ?? "error"})`,
      };
    }
    return (await isParley(config))
      ? { subject, state: "ok", detail: `Parley answers on ${port}` }
      : { subject, state: "wrong", detail: `${port} is in use by another program` };
  } finally {
    server.close();
  }
}

const answerTimeoutMs = 3_000;

/** Whether what listens there answers /health as Parley does. Its certificate is not the question here. */
async function isParley({ port, host, tls }: Config): Promise<boolean> {
  const hostname = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  const options = {
    hostname,
    port,
    path: "/health/live",
    agent: false,
    rejectUnauthorized: false,
    signal: AbortSignal.timeout(answerTimeoutMs),
  };
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = (tls ? httpsGet : httpGet)(options, (response) => {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      body = (body + text).slice(0, 1000);
    });
    response.on("end", () => resolve(body));
    response.on("error", reject);
  });
  request.on("error", reject);
  try {
    return "live" in (JSON.parse(await promise) as object);
  } catch {
    return false; // whatever it is, it is not Parley
  }
}

async function databaseOf(config: Config): Promise<Finding> {
  const subject = "database";
  if (config.databaseUrl === undefined) {
    const folder = join(config.dataDir, "pglite");
    if (!(await exists(folder))) return folderToBe(subject, folder);
  }
  try {
    const storage = await openStorage({
      dataDir: config.dataDir,
      ...(config.databaseUrl !== undefined && { url: config.databaseUrl }),
      log: pino({ level: "silent" }),
      migrate: false,
    });
    const { ready, detail } = await storage.health();
    await storage.close();
    return { subject, state: ready ? "ok" : "wrong", detail };
  } catch (error) {
    const isLocked = error instanceof Error && "code" in error && error.code === "locked";
    const detail = error instanceof Error ? error.message : "it cannot be opened";
    return { subject, state: isLocked ? "warning" : "wrong", detail };
  }
}

async function* redisOf({ redisUrl, databaseUrl }: Config): AsyncGenerator<Finding> {
  const subject = "redis";
  if (redisUrl === undefined) return;
  if (databaseUrl === undefined) {
    const detail = "REDIS_URL has no effect without DATABASE_URL: one process alone uses PGlite";
    yield { subject, state: "warning", detail };
    return;
  }
  const { ready, detail } = await checkRedis(redisUrl, answerTimeoutMs);
  yield { subject, state: ready ? "ok" : "wrong", detail };
}

/** A folder that the server makes: whether it can. */
async function folderToBe(subject: string, folder: string): Promise<Finding> {
  let parent = dirname(folder);
  while (!(await exists(parent))) parent = dirname(parent);
  try {
    if (!(await stat(parent)).isDirectory()) throw new Error("not a folder");
    await access(parent, constants.W_OK | constants.X_OK);
    return { subject, state: "ok", detail: `${folder} will be made at the first start` };
  } catch {
    return { subject, state: "wrong", detail: `${folder} cannot be made: ${parent} cannot be written` };
  }
}

async function* deepgramOf({ speech }: Config): AsyncGenerator<Finding> {
  const subject = "deepgram";
  const { deepgramApiKey: apiKey, deepgramUrl: url } = speech;
  if (speech.engines.includes("deepgram") && apiKey !== undefined) {
    const check = { apiKey, timeoutMs: answerTimeoutMs, ...(url !== undefined && { url }) };
    yield { subject, ...(await checkAccount(check)) };
  } else if (apiKey !== undefined) {
    yield {
      subject,
      state: "warning",
      detail: "there is a key, and SPEECH_ENGINE is offline; it is not used",
    };
  } else if (url !== undefined) {
    yield { subject, state: "warning", detail: "DEEPGRAM_URL has no effect without DEEPGRAM_API_KEY" };
  }
}

async function* modelsOf({ speech: { modelDir } }: Config): AsyncGenerator<Finding> {
  const subject = "speech models";
  if (!(await exists(modelDir))) {
    const finding = await folderToBe(subject, modelDir);
    yield finding.state === "ok"
      ? {
          subject,
          state: "warning",
          detail: `${modelDir} is not there yet; the models are fetched at the first start`,
        }
      : finding;
    return;
  }
  try {
    const bad = (await checkModels(modelDir)).filter((check) => check.state !== "ok");
    if (bad.length === 0) yield { subject, state: "ok", detail: modelDir };
    for (const { file, state } of bad) {
      yield state === "missing"
        ? { subject, state: "warning", detail: `${file} is missing; it is fetched at the next start` }
        : { subject, state: "wrong", detail: `${file} has a wrong hash; delete it, and it is fetched again` };
    }
  } catch (error) {
    const detail = error instanceof Error ? error.message : `${modelDir} cannot be read`;
    yield { subject, state: "wrong", detail };
  }
}

async function oidcOf(issuer: OidcIssuer, now: () => number): Promise<Finding> {
  const subject = "oidc";
  const name = issuer.issuer;
  const fetching = { clock: systemClock, signal: AbortSignal.timeout(answerTimeoutMs) };
  let loaded: LoadedKeys;
  try {
    loaded = await loadKeys(await findJwksUrl(issuer, fetching), fetching);
  } catch (error) {
    const reason = error instanceof IssuerError ? error.message : "it cannot be asked";
    return { subject, state: "wrong", detail: `${name}: ${reason}` };
  }
  const { keys, serverTimeMs } = loaded;
  if (keys.length === 0)
    return { subject, state: "wrong", detail: `${name}: its key set has no key that can be used` };
  const algorithms = [...new Set(keys.map(({ alg }) => alg))].sort().join(", ");
  return (
    skewOf(subject, name, { theirsMs: serverTimeMs, oursMs: now() }) ?? {
      subject,
      state: "ok",
      detail: `${name}: ${keys.length} ${keys.length === 1 ? "key" : "keys"} (${algorithms})`,
    }
  );
}

/** A wrong clock comes first: by it, LiveKit refuses the key as well. */
async function liveKitOf(livekit: LiveKitSettings, now: () => number): Promise<Finding> {
  const subject = "livekit";
  const { url } = livekit;
  let answer: Response;
  try {
    answer = await fetch(url.replace(/^ws/i, "http"), { signal: AbortSignal.timeout(answerTimeoutMs) });
  } catch {
    return { subject, state: "wrong", detail: `${url} does not answer` };
  }
  await answer.body?.cancel();
  if (!answer.ok) return { subject, state: "warning", detail: `${url} answers with HTTP ${answer.status}` };
  const theirsMs = Date.parse(answer.headers.get("date") ?? "");
  const server = new LiveKitServer(livekit, { now, onProblem: () => undefined, timeoutMs: answerTimeoutMs });
  return skewOf(subject, url, { theirsMs, oursMs: now() }) ?? keyOf(url, await server.status());
}

function keyOf(url: string, { state }: LiveKitStatus): Finding {
  const subject = "livekit";
  switch (state) {
    case "ok":
      return { subject, state: "ok", detail: `${url} takes the key` };
    case "unauthorized":
      return {
        subject,
        state: "wrong",
        detail: `${url} refuses the key; check LIVEKIT_API_KEY and LIVEKIT_API_SECRET`,
      };
    case "failing":
      return { subject, state: "wrong", detail: `${url} answers, and not as a LiveKit server does` };
    case "unreachable":
      return { subject, state: "wrong", detail: `${url} does not say whether it takes the key` };
  }
}

/** Tokens are judged by the clock of whom they are shown to; Parley itself tolerates so much. */
const clockSkewToleranceMs = 10_000;

/** What to say of clocks that differ, in milliseconds since the epoch. Undefined when they do not, or nobody knows. */
function skewOf(
  subject: string,
  name: string,
  { theirsMs = NaN, oursMs }: { readonly theirsMs: number | undefined; readonly oursMs: number },
): Finding | undefined {
  const skewMs = Math.abs(theirsMs - oursMs);
  if (!(skewMs > clockSkewToleranceMs)) return undefined;
  return {
    subject,
    state: "warning",
    detail: `the clock of ${name} is ${Math.round(skewMs / 1000)} s off this machine's; tokens may be refused`,
  };
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
