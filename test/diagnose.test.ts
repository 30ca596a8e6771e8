/** What the doctor finds, in its good and its bad forms, and that looking changes nothing. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, describe, expect, test } from "vitest";
import { diagnose } from "../src/diagnose.ts";
import type { DiagnoseOptions, Finding } from "../src/diagnose.ts";
import { openStorage } from "../src/storage/open-storage.ts";
import { scratchFolder } from "./cli/scratch-folder.ts";
import { startFakeDeepgram } from "./fakes/fake-deepgram.ts";
import { sendJson, startScriptedIssuer } from "./fakes/scripted-issuer.ts";
import { describeLiveKitServer } from "./livekit-server/livekit-server-process.ts";
import { describePostgres } from "./storage/databases.ts";
import { ecKey, rsaKey } from "./token/users/oidc/make-oidc-token.ts";
import { makeProviderKey, startProvider } from "./token/users/oidc/start-provider.ts";
import { redisMissing, redisUrl } from "./storage/redis.ts";

const root = scratchFolder();
let count = 0;
const newPath = () => join(root, String((count += 1)));
const newFolder = () => {
  const path = newPath();
  mkdirSync(path);
  return path;
};

/** Nothing is there yet, and port 0 is always free. */
const fresh = () => ({ DATA_DIR: join(newFolder(), "data"), MODEL_DIR: newPath(), PORT: "0" });

async function findings(env: Record<string, string>, options: DiagnoseOptions = {}): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const finding of diagnose({ env, ...options })) found.push(finding);
  return found;
}

async function findingsOn(subject: string, env: Record<string, string>, options: DiagnoseOptions = {}) {
  return (await findings(env, options)).filter((finding) => finding.subject === subject);
}

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

async function listen(answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  closers.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

async function closedPort(): Promise<number> {
  const port = await listen(() => undefined);
  closers.pop()?.();
  return port;
}

test("a fresh machine is in order, and stays as it was", async () => {
  const env = fresh();
  const parent = join(env.DATA_DIR, "..");
  const states = (await findings(env)).map(({ subject, state }) => `${subject}: ${state}`);
  expect(states).toEqual([
    "node: ok",
    "clock: ok",
    "configuration: ok",
    "port: ok",
    "database: ok",
    "speech models: warning",
  ]);
  expect(readdirSync(parent)).toEqual([]);
  expect(existsSync(env.MODEL_DIR)).toBe(false);
});

describe("node and clock", () => {
  test.each([
    ["24.2.0", "ok"],
    ["26.0.0", "ok"],
    ["24.1.0", "wrong"],
    ["20.20.2", "wrong"],
  ])("Node %s is %s", async (nodeVersion, state) => {
    const [node] = await findingsOn("node", fresh(), { nodeVersion });
    expect(node).toMatchObject({ state, detail: expect.stringContaining(`Node ${nodeVersion}`) as string });
  });

  test("a clock that stands at 1970 is wrong", async () => {
    const [clock] = await findingsOn("clock", fresh(), { now: () => 60_000 });
    expect(clock).toMatchObject({ state: "wrong", detail: expect.stringContaining("1970-01-01") as string });
  });
});

describe("configuration", () => {
  test("every problem is listed by name, and nothing is looked at on such ground", async () => {
    const found = await findings({ ...fresh(), PORT: "x", LOG_LEVEL: "loud", TLS_CERT_FILE: "a.pem" });
    const wrong = found.filter(({ state }) => state === "wrong");
    expect(wrong.map(({ detail }) => detail.split(":")[0])).toEqual(["LOG_LEVEL", "PORT", "TLS_KEY_FILE"]);
    expect(found.some(({ subject }) => subject === "database")).toBe(false);
  });

  test("a secret that is too short is not shown", async () => {
    const found = await findings({ ...fresh(), JWT_SECRET: "hunter2" });
    expect(JSON.stringify(found)).toContain("JWT_SECRET");
    expect(JSON.stringify(found)).not.toContain("hunter2");
  });

  test("what is set and not used yet is a warning", async () => {
    const [, warning] = await findingsOn("configuration", { ...fresh(), RETENTION_TRANSCRIPT_DAYS: "30" });
    expect(warning).toMatchObject({
      state: "warning",
      detail: "RETENTION_TRANSCRIPT_DAYS is set, and this version does not use it yet",
    });
  });
});

describe("signing keys", () => {
  const jitsi = { JITSI_DOMAIN: "meet.example", JITSI_APP_ID: "app" };

  test("that can be used are in order, and without any nothing is said", async () => {
    expect(await findingsOn("signing keys", fresh())).toEqual([]);
    const found = await findingsOn("signing keys", {
      ...fresh(),
      ...jitsi,
      JITSI_APP_SECRET: "s".repeat(32),
    });
    expect(found).toMatchObject([{ state: "ok", detail: "Jitsi, HS256" }]);
  });

  test("in a file that is not there are wrong, by the variable's name", async () => {
    const found = await findingsOn("signing keys", { ...fresh(), JWT_PRIVATE_KEY_FILE: "none.pem" });
    expect(found).toMatchObject([
      { state: "wrong", detail: expect.stringMatching(/^JWT_PRIVATE_KEY_FILE/) as string },
    ]);
  });
});

describe("port", () => {
  test("Parley itself on the port is in order", async () => {
    const port = await listen((_, response) => response.end('{"status":"ok","live":true}'));
    const [found] = await findingsOn("port", { ...fresh(), HOST: "127.0.0.1", PORT: String(port) });
    expect(found).toMatchObject({ state: "ok", detail: `Parley answers on ${port}` });
  });

  test.each<[string, RequestListener]>([
    ["answers with a page", (_, response) => response.end("<html>")],
    ["answers with other JSON", (_, response) => response.end('{"status":"ok"}')],
    ["hangs up", (request) => request.socket.destroy()],
  ])("another program that %s is wrong", async (_, answer) => {
    const port = await listen(answer);
    const [found] = await findingsOn("port", { ...fresh(), HOST: "127.0.0.1", PORT: String(port) });
    expect(found).toMatchObject({ state: "wrong", detail: `${port} is in use by another program` });
  });

  test("an address that is not this machine's is wrong", async () => {
    const [found] = await findingsOn("port", { ...fresh(), HOST: "192.0.2.1", PORT: "3001" });
    expect(found).toMatchObject({
      state: "wrong",
      detail: "192.0.2.1:3001 cannot be listened on (EADDRNOTAVAIL)",
    });
  });
});

describe("database", () => {
  test("a PGlite folder that nobody uses is opened", async () => {
    const env = fresh();
    const storage = await openStorage({ dataDir: env.DATA_DIR, log: pino({ level: "silent" }) });
    const [locked] = await findingsOn("database", env);
    expect(locked).toMatchObject({
      state: "warning",
      detail: expect.stringContaining(`is in use by process ${process.pid}`) as string,
    });
    await storage.close();
    expect(await findingsOn("database", env)).toEqual([
      { subject: "database", state: "ok", detail: "pglite" },
    ]);
  });

  test("a folder that is not PGlite's is wrong", async () => {
    const env = fresh();
    mkdirSync(join(env.DATA_DIR, "pglite"), { recursive: true });
    const [found] = await findingsOn("database", env);
    expect(found).toMatchObject({
      state: "wrong",
      detail: expect.stringContaining("not a PGlite folder") as string,
    });
  });

  test("a data folder that cannot be made is wrong", async () => {
    const file = newPath();
    writeFileSync(file, "");
    const [found] = await findingsOn("database", { ...fresh(), DATA_DIR: join(file, "data") });
    expect(found).toMatchObject({
      state: "wrong",
      detail: expect.stringContaining("cannot be made") as string,
    });
  });

  test("a PostgreSQL that cannot be reached is wrong, and its password is not shown", async () => {
    const url = `postgres://parley:hunter2@127.0.0.1:${await closedPort()}/parley`;
    const [found] = await findingsOn("database", { ...fresh(), DATABASE_URL: url });
    expect(found).toMatchObject({
      state: "wrong",
      detail: "postgres: the database cannot be reached (ECONNREFUSED)",
    });
    expect(JSON.stringify(found)).not.toContain("hunter2");
  });

  describePostgres("PostgreSQL", (url) => {
    test("that answers is in order", async () => {
      const [found] = await findingsOn("database", { ...fresh(), DATABASE_URL: url() });
      expect(found).toEqual({ subject: "database", state: "ok", detail: "postgres" });
    });

    test("without a database of that name is wrong, and none is made", async () => {
      const env = { ...fresh(), DATABASE_URL: new URL("/parley_nowhere", url()).href };
      for (const [found] of [await findingsOn("database", env), await findingsOn("database", env)]) {
        expect(found).toMatchObject({
          state: "wrong",
          detail: expect.stringContaining("no database of that name") as string,
        });
      }
    });
  });
});

const skipped = redisMissing === undefined ? "" : ` (skipped: no Redis here: ${redisMissing})`;

describe("Redis", () => {
  const DATABASE_URL = "postgres://nobody@127.0.0.1:1/none";

  test.skipIf(redisMissing !== undefined)(`that passes notices on is in order${skipped}`, async () => {
    expect(await findingsOn("redis", { ...fresh(), DATABASE_URL, REDIS_URL: redisUrl })).toEqual([
      { subject: "redis", state: "ok", detail: "redis" },
    ]);
  });

  test("that cannot be reached is wrong, and its password is not shown", async () => {
    const url = `redis://:hunter2@127.0.0.1:${await closedPort()}`;
    const found = await findingsOn("redis", { ...fresh(), DATABASE_URL, REDIS_URL: url });
    const detail = "redis: Redis cannot be reached (ECONNREFUSED)";
    expect(found).toEqual([{ subject: "redis", state: "wrong", detail }]);
  });

  test("without PostgreSQL is a warning, and is not asked", async () => {
    const found = await findingsOn("redis", { ...fresh(), REDIS_URL: "redis://192.0.2.1" });
    expect(found).toMatchObject([{ state: "warning", detail: expect.stringMatching(/PGlite$/) as string }]);
  });

  test("that is not configured is not mentioned", async () => {
    expect(await findingsOn("redis", fresh())).toEqual([]);
  });
});

describe("speech models", () => {
  test("a folder without them is a warning for each, and nothing is fetched", async () => {
    const modelDir = newFolder();
    const found = await findingsOn("speech models", { ...fresh(), MODEL_DIR: modelDir });
    expect(found.length).toBeGreaterThan(2);
    expect(found.every(({ state, detail }) => state === "warning" && /is missing/.test(detail))).toBe(true);
    expect(readdirSync(modelDir)).toEqual([]);
  });

  test("a file with a wrong hash is wrong, and stays", async () => {
    const modelDir = newFolder();
    writeFileSync(join(modelDir, "encoder_model.onnx"), "not a model");
    const found = await findingsOn("speech models", { ...fresh(), MODEL_DIR: modelDir });
    expect(found.find(({ state }) => state === "wrong")?.detail).toMatch(
      /^encoder_model\.onnx has a wrong hash/,
    );
    const hash = createHash("sha256")
      .update(readFileSync(join(modelDir, "encoder_model.onnx")))
      .digest("hex");
    expect(hash).toBe(createHash("sha256").update("not a model").digest("hex"));
  });
});

describe("Deepgram (a fake one)", () => {
  const look = async (env: Record<string, string>) => findingsOn("deepgram", { ...fresh(), ...env });

  test("that takes the key is in order, wherever DEEPGRAM_URL says that it is", async () => {
    const fake = await startFakeDeepgram();
    closers.push(() => void fake.close());
    const host = new URL(fake.url).host;
    for (const url of [fake.url, `${fake.url}/v1/listen`, fake.url.replace("ws:", "http:")]) {
      expect(await look({ DEEPGRAM_API_KEY: fake.apiKey, DEEPGRAM_URL: url })).toEqual([
        { subject: "deepgram", state: "ok", detail: `${host} takes the key` },
      ]);
    }
    expect(fake.handshakes).toBe(0);
  });

  test("that refuses the key is wrong, and the key is not shown", async () => {
    const fake = await startFakeDeepgram();
    closers.push(() => void fake.close());
    const found = await look({ DEEPGRAM_API_KEY: "hunter2", DEEPGRAM_URL: fake.url });
    expect(found).toMatchObject([
      {
        state: "wrong",
        detail: expect.stringMatching(/refuses the key \(HTTP 401\); check DEEPGRAM_API_KEY/) as string,
      },
    ]);
    expect(JSON.stringify(found)).not.toContain("hunter2");
  });

  test("that does not answer is wrong", async () => {
    const url = `ws://127.0.0.1:${await closedPort()}`;
    expect(await look({ DEEPGRAM_API_KEY: "dg", DEEPGRAM_URL: url })).toMatchObject([
      { state: "wrong", detail: expect.stringContaining("does not answer") as string },
    ]);
  });

  test("of one's own that does not judge keys is a warning, and a redirection is not followed", async () => {
    let followed = 0;
    const elsewhere = await listen((_, response) => {
      followed += 1;
      response.end();
    });
    const location = `http://127.0.0.1:${elsewhere}/`;
    for (const status of [404, 302]) {
      const port = await listen((_, response) => response.writeHead(status, { location }).end());
      expect(await look({ DEEPGRAM_API_KEY: "dg", DEEPGRAM_URL: `http://127.0.0.1:${port}` })).toMatchObject([
        { state: "warning", detail: expect.stringContaining(`(HTTP ${status})`) as string },
      ]);
    }
    expect(followed).toBe(0);
  });

  test("that is configured by halves is a warning; then the models of the other engine are looked at", async () => {
    expect(await look({ DEEPGRAM_URL: "wss://dg.example" })).toMatchObject([{ state: "warning" }]);
    expect(await look({ DEEPGRAM_API_KEY: "dg", SPEECH_ENGINE: "offline" })).toMatchObject([
      { state: "warning" },
    ]);
    expect(await look({})).toEqual([]);
    const url = `ws://127.0.0.1:${await closedPort()}`;
    const alone = { ...fresh(), DEEPGRAM_API_KEY: "dg", DEEPGRAM_URL: url, SPEECH_ENGINE: "deepgram" };
    expect(await findingsOn("speech models", alone)).toEqual([]);
    expect(await findingsOn("speech models", { ...alone, SPEECH_ENGINE: "auto" })).not.toEqual([]);
  });
});

describe("LiveKit", () => {
  const keys = { LIVEKIT_API_KEY: "devkey", LIVEKIT_API_SECRET: "secret-of-a-test-that-is-long-enough" };
  const look = async (url: string, env: Record<string, string> = keys) =>
    findingsOn("livekit", { ...fresh(), ...env, LIVEKIT_URL: url });
  const serve = async (answer: RequestListener) => `ws://127.0.0.1:${await listen(answer)}`;

  test("that does not answer is wrong", async () => {
    const url = `ws://127.0.0.1:${await closedPort()}`;
    expect(await look(url)).toEqual([
      { subject: "livekit", state: "wrong", detail: `${url} does not answer` },
    ]);
  });

  test("that answers with an error is a warning", async () => {
    const url = await serve((_, response) => response.writeHead(503).end());
    expect(await look(url)).toMatchObject([{ state: "warning", detail: `${url} answers with HTTP 503` }]);
  });

  test("whose clock is off is a warning, for it would refuse tokens", async () => {
    const url = await serve((_, response) =>
      response.setHeader("date", new Date(Date.now() - 300_000).toUTCString()).end("OK"),
    );
    expect(await look(url)).toMatchObject([
      { state: "warning", detail: expect.stringMatching(/clock .* 30[0-2] s off/) as string },
    ]);
  });

  test("in whose place another server is, which answers everything, is wrong", async () => {
    const url = await serve((_, response) => response.end("OK"));
    expect(await look(url)).toMatchObject([
      { state: "wrong", detail: `${url} answers, and not as a LiveKit server does` },
    ]);
  });

  test("that says nothing of the key is wrong", async () => {
    const url = await serve((request, response) => {
      if (request.method === "POST") request.socket.destroy();
      else response.end("OK");
    });
    expect(await look(url)).toMatchObject([
      { state: "wrong", detail: `${url} does not say whether it takes the key` },
    ]);
  });

  describeLiveKitServer("a real one", (server) => {
    const theirs = (): Record<string, string> => ({
      LIVEKIT_API_KEY: server().settings.apiKey,
      LIVEKIT_API_SECRET: server().settings.apiSecret,
    });

    test("that takes the key is in order, under each scheme of its URL", async () => {
      for (const scheme of ["ws://", "http://", "WS://"]) {
        const url = server().httpUrl.replace("http://", scheme);
        expect(await look(url, theirs())).toEqual([
          { subject: "livekit", state: "ok", detail: `${url} takes the key` },
        ]);
      }
    });

    test.each([
      ["key", "LIVEKIT_API_KEY"],
      ["secret", "LIVEKIT_API_SECRET"],
    ])("that takes another %s is wrong, and neither is shown", async (_, name) => {
      const { url } = server().settings;
      const found = await look(url, { ...theirs(), [name]: "hunter2-hunter2-hunter2-hunter2-hunter2" });
      expect(found).toMatchObject([
        { state: "wrong", detail: `${url} refuses the key; check LIVEKIT_API_KEY and LIVEKIT_API_SECRET` },
      ]);
      expect(JSON.stringify(found)).not.toMatch(/hunter2|eyJ/);
    });
  });
});

describe("OIDC", () => {
  const look = (issuers: string) =>
    findingsOn("oidc", { ...fresh(), OIDC_ISSUERS: issuers, OIDC_AUDIENCE: "https://parley.example" });
  const start = async () => {
    const issuer = await startScriptedIssuer();
    closers.push(() => void issuer.stop());
    issuer.keys = [ecKey("ec").jwk];
    return issuer;
  };

  test("issuers that give keys are in order, and nothing is said of their being unused", async () => {
    const provider = await startProvider({ keys: [makeProviderKey("EdDSA", "ed")] });
    closers.push(() => void provider.stop());
    const scripted = await start();
    scripted.keys = [rsaKey("b").jwk, ecKey("a").jwk, ecKey("c").jwk, { kty: "oct" }];
    const given = `${scripted.issuer}|${scripted.jwksUrl}`;
    expect(await look(`${provider.issuer},${given}`)).toEqual([
      { subject: "oidc", state: "ok", detail: `${provider.issuer}: 1 key (EdDSA)` },
      { subject: "oidc", state: "ok", detail: `${scripted.issuer}: 3 keys (ES256, RS256)` },
    ]);
    expect(scripted.asked).toEqual({ keys: 1, discovery: 0, other: 0 });
    const env = { ...fresh(), OIDC_ISSUERS: given, OIDC_AUDIENCE: "x" };
    expect(await findingsOn("configuration", env)).toHaveLength(1);
  });

  test("an issuer that does not answer is wrong", async () => {
    const issuer = `http://127.0.0.1:${await closedPort()}`;
    expect(await look(issuer)).toEqual([
      {
        subject: "oidc",
        state: "wrong",
        detail: `${issuer}: its discovery document cannot be fetched (ECONNREFUSED)`,
      },
    ]);
  });

  test("an issuer whose discovery document or key set is no good is wrong, and is told which", async () => {
    const scripted = await start();
    const { issuer } = scripted;
    const wrong = async () => (await look(issuer)).map(({ state, detail }) => `${state}: ${detail}`);
    scripted.discovery = { issuer: `${issuer}/` };
    expect(await wrong()).toEqual([`wrong: ${issuer}: its discovery document names another issuer`]);
    scripted.discovery = {};
    scripted.answerKeys = (_, response) => response.writeHead(404).end();
    expect(await wrong()).toEqual([`wrong: ${issuer}: its key set cannot be fetched (HTTP 404)`]);
    scripted.answerKeys = undefined;
    scripted.keys = [{ ...rsaKey("weak", 1024).jwk }, { kty: "oct", k: "AA", kid: "secret" }];
    expect(await wrong()).toEqual([`wrong: ${issuer}: its key set has no key that can be used`]);
  });

  test("an issuer whose clock is off is a warning, for its tokens would be refused", async () => {
    const scripted = await start();
    for (const seconds of [-300, 300]) {
      scripted.answerKeys = (_, response) => {
        response.setHeader("date", new Date(Date.now() + seconds * 1000).toUTCString());
        sendJson(response, { keys: scripted.keys });
      };
      expect(await look(scripted.issuer)).toMatchObject([
        { state: "warning", detail: expect.stringMatching(/clock .* (29[89]|30[0-2]) s off/) as string },
      ]);
    }
    scripted.answerKeys = (_, response) => {
      response.sendDate = false;
      sendJson(response, { keys: scripted.keys });
    };
    expect(await look(scripted.issuer)).toMatchObject([{ state: "ok" }]);
  });
});

const openssl = (() => {
  try {
    execFileSync("openssl", ["version"]);
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!openssl)("TLS (skipped without openssl)", () => {
  const makeCertificate = () => {
    const TLS_CERT_FILE = newPath();
    const TLS_KEY_FILE = newPath();
    const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const names = ["-subj", "/CN=localhost", "-keyout", TLS_KEY_FILE, "-out", TLS_CERT_FILE];
    execFileSync("openssl", [...args, ...names], { stdio: "ignore" });
    return { TLS_CERT_FILE, TLS_KEY_FILE };
  };

  test("a certificate and its key are in order", async () => {
    const tls = makeCertificate();
    expect(await findingsOn("tls", { ...fresh(), ...tls })).toEqual([
      { subject: "tls", state: "ok", detail: tls.TLS_CERT_FILE },
    ]);
  });
  test("a certificate and another's key are wrong", async () => {
    const tls = { ...makeCertificate(), TLS_KEY_FILE: makeCertificate().TLS_KEY_FILE };
    const [found] = await findingsOn("tls", { ...fresh(), ...tls });
    expect(found).toMatchObject({
      state: "wrong",
      detail: expect.stringContaining("cannot be used together") as string,
    });
  });
  test("a file that is not there is named", async () => {
    const tls = { ...makeCertificate(), TLS_KEY_FILE: "/nowhere/key.pem" };
    const [found] = await findingsOn("tls", { ...fresh(), ...tls });
    expect(found).toMatchObject({ state: "wrong", detail: "TLS_KEY_FILE: /nowhere/key.pem cannot be read" });
  });
});
