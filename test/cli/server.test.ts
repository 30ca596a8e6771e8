/** The commands against a server: keys, tokens, sessions and transcripts, as a user types them. */
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { readConfig } from "../../src/config.ts";
import { startServer } from "../../src/main.ts";
import type { Server } from "../../src/main.ts";
import { checkModels } from "../../src/transcription/engines/offline/model/check-models.ts";
import { hasScript, parley as run, parleyOnTerminal } from "./parley.ts";
import type { RunOptions } from "./parley.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { fileOf, wav } from "./wav-file.ts";

const recording = join(import.meta.dirname, "../audio/austen-0880.wav");
const dataDir = scratchFolder();
const livekit = {
  LIVEKIT_URL: "ws://localhost:7880",
  LIVEKIT_API_KEY: "devkey",
  LIVEKIT_API_SECRET: "secret-of-a-test-that-is-long-enough",
};
const { modelDir } = readConfig({}).speech;
const missing = (await checkModels(modelDir).catch(() => undefined))?.every((check) => check.state === "ok")
  ? undefined
  : `no speech models in ${modelDir}`;
const withModels = missing === undefined ? "with models" : `with models (skipped: ${missing})`;

let server: Server;
let env: Record<string, string>;

beforeAll(async () => {
  server = await startServer(
    readConfig({ DATA_DIR: dataDir, HOST: "127.0.0.1", PORT: "0", MODEL_DIR: modelDir, ...livekit }),
    { log: pino({ level: "silent" }), throwAway: true },
  );
  env = { DATA_DIR: dataDir, PORT: new URL(server.url).port };
});

afterAll(() => server.stop(0));

const parley = (args: readonly string[], options: RunOptions = {}) =>
  run(args, { ...options, env: { ...env, ...options.env } });

const onTerminal = (args: readonly string[], interruptAt: string) =>
  parleyOnTerminal(args, { env, interruptAt });

async function makeKey(name: string, scopes: string): Promise<string> {
  const made = await parley(["keys", "create", name, "--scopes", scopes]);
  expect(made).toMatchObject({ exitCode: 0, stderr: "" });
  return made.stdout.trim();
}

function payloadOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<
    string,
    unknown
  >;
}

describe("keys", () => {
  test("a key is shown once, works from a file, is listed without its secret, and is dead once revoked", async () => {
    const key = await makeKey("ci", "tokens,admin");
    const [, id = "", secret = ""] = /^pk_([^_]+)_(.+)$/.exec(key) ?? [];
    const file = fileOf(`${key}\n`, "ci-key");
    const list = await parley(["keys", "list", "--api-key-file", file]);
    expect(list.stdout).toMatch(new RegExp(`^${id}  \\d{4}-\\d\\d-\\d\\d  good  tokens,admin  ci$`, "m"));
    expect(list.stdout).not.toContain(secret);

    const revoked = await parley(["keys", "revoke", id]);
    expect(revoked.stdout).toMatch(new RegExp(`^${id}  .*revoked \\d{4}-\\d\\d-\\d\\d`));
    const refused = await parley(["keys", "list", "--api-key-file", file]);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toBe(
      `the server at http://localhost:${env["PORT"]} does not accept this API key or token\n`,
    );
  });

  test("a key can be made for some days", async () => {
    await parley(["keys", "create", "short", "--scopes", "stats", "--days", "2"]);
    const { stdout } = await parley(["keys", "list"]);
    const day = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 7);
    expect(stdout).toMatch(new RegExp(`good until ${day}-\\d\\d  stats  short`));
  });

  test("a name cannot steer the terminal of whoever lists the keys", async () => {
    await makeKey("evil\u001b[2J", "stats");
    expect((await parley(["keys", "list"])).stdout).toContain("evil?[2J");
  });

  test("revoking a key that is not there fails with one line", async () => {
    const run = await parley(["keys", "revoke", "0123456789abcdef"]);
    expect(run).toMatchObject({ exitCode: 1, stdout: "", stderr: "api_key_id: no such key\n" });
  });

  test("a key without the scope is told which one is needed", async () => {
    const key = await makeKey("reader", "transcripts");
    const refused = await parley(["keys", "list", "--api-key", key]);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toBe('not allowed: this call needs an API key with scope "admin"\n');
    const listed = await parley(["sessions", "list", "--api-key", key]);
    expect(listed.exitCode).toBe(0);
  });
});

describe("tokens", () => {
  test("a user token logs the user in", async () => {
    const { exitCode, stdout } = await parley(["token", "user", "ada", "--name", "Ada", "--ttl", "120"]);
    expect(exitCode).toBe(0);
    const transport = createGrpcTransport({ baseUrl: server.url });
    const answer = await createClient(TokenService, transport).createSessionTokens(
      {},
      { headers: { authorization: `Bearer ${stdout.trim()}` } },
    );
    expect(payloadOf(answer.transcriptionToken)).toMatchObject({ userId: "ada", participantIdentity: "ada" });
    const { iat, exp, name } = payloadOf(stdout);
    expect(Number(exp) - Number(iat)).toBe(120);
    expect(name).toBe("Ada");
  });

  test("a transcription token names room and identity", async () => {
    const { stdout } = await parley(["token", "transcription", "--identity", "bob", "--room", "talk"]);
    expect(payloadOf(stdout)).toMatchObject({ participantIdentity: "bob", roomName: "talk" });
  });

  test("a LiveKit token is of the configured key", async () => {
    const { stdout } = await parley(["token", "livekit", "--identity", "bob", "--room", "talk"]);
    expect(payloadOf(stdout)).toMatchObject({ iss: "devkey", sub: "bob", video: { room: "talk" } });
  });

  test("what the server finds wrong with the input is one line, and exit code 2", async () => {
    const args = ["token", "transcription", "--identity", "bob", "--room", "r".repeat(129)];
    const refused = await parley(args);
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(refused.stderr).toMatch(/^room_name: .*\n$/);
  });
});

test("what listens and is no Parley server is told apart from nothing that listens", async () => {
  const secure = server.url.replace("http:", "https:");
  const refused = await parley(["keys", "list", "--url", secure]);
  expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
  expect(refused.stderr).toMatch(/^no connection to https:\S+ as a Parley server \(ERR_SSL_\w+\)\n$/);
});

describe.skipIf(missing !== undefined)(withModels, () => {
  beforeAll(() => server.engineReady);

  test("transcribe prints the session, its words, the figures and the report", async () => {
    const { exitCode, stdout, stderr } = await parley(["transcribe", recording, "--room", "plain"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^session \S+\n +0:\d\d\.\d {2}He was not an ill.*\n\nFigures\n(.*\n)+\nReport /);
    expect(stdout).not.toMatch(/\u001b/);
  });

  test("transcribe --json prints one object, and sessions list and export know the session", async () => {
    const { stdout, stderr } = await parley(["transcribe", recording, "--room", "json", "--json"]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^\{.*\}\n$/);
    const summary = JSON.parse(stdout) as Record<string, unknown>;
    expect(summary["sessionId"]).toEqual(expect.stringMatching(/./));
    expect(summary["interviewId"]).toEqual(expect.stringMatching(/./));
    expect(summary["gaps"]).toEqual([]);
    expect(summary["totalWords"]).toBeGreaterThan(5);

    const id = summary["sessionId"] as string;
    const list = await parley(["sessions", "list", "--room", "json"]);
    expect(list.stdout).toMatch(new RegExp(`^${id}  \\S+Z  ended {10}0:02\\.9  json  speaker\n$`));
    expect((await parley(["sessions", "list", "--room", "elsewhere"])).stdout).toBe("");

    const exported = async (format: string) =>
      (await parley(["sessions", "export", id, "--format", format])).stdout;
    expect(await exported("vtt")).toMatch(/^WEBVTT\n/);
    expect(await exported("srt")).toMatch(/^1\n00:00:0/);
    expect(await exported("txt")).toBe(`${summary["transcript"] as string}\n`);
    expect(JSON.parse(await exported("json"))).toMatchObject({ sessionId: id });

    const output = fileOf("what was there");
    const written = await parley(["sessions", "export", id, "--format", "vtt", "--output", output]);
    expect(written).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    expect(readFileSync(output, "utf8")).toBe(await exported("vtt"));
    const unwritable = ["sessions", "export", id, "--format", "vtt", "--output", "/nowhere/out.vtt"];
    expect(await parley(unwritable)).toMatchObject({
      exitCode: 2,
      stderr: "--output: /nowhere/out.vtt cannot be written (ENOENT)\n",
    });
  });

  test("exporting a session that is not there fails with one line", async () => {
    const run = await parley(["sessions", "export", "nobody", "--format", "txt"]);
    expect(run).toMatchObject({ exitCode: 1, stdout: "", stderr: "session_id: no such session\n" });
  });

  test("audio that is cut short is transcribed as far as it goes, and said to be", async () => {
    const path = fileOf(readFileSync(recording).subarray(0, 44 + 2 * 16_000 * 2));
    const { exitCode, stdout, stderr } = await parley(["transcribe", path, "--json"]);
    expect(exitCode).toBe(0);
    expect(stderr).toBe(`${path} is cut short; transcribing the 2.0 s that are there\n`);
    expect(JSON.parse(stdout)).toMatchObject({ durationMs: 2000 });
  });

  test("eight channels of 32-bit floats at 48 kHz are sent in pieces that the server takes", async () => {
    const data = new Uint8Array(48_000 * 8 * 4);
    const path = fileOf(wav({ code: 3, bits: 32, channelCount: 8, sampleRateHz: 48_000, data }));
    const { exitCode, stdout } = await parley(["transcribe", path, "--separate-channels", "--json"]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ durationMs: 1000, totalWords: 0 });
  });

  test("a key that may not make tokens gets one line", async () => {
    const key = await makeKey("reader", "transcripts");
    const refused = await parley(["transcribe", recording, "--json", "--api-key", key]);
    expect(refused).toMatchObject({
      exitCode: 1,
      stdout: "",
      stderr: 'not allowed: this call needs an API key with scope "tokens"\n',
    });
  });

  test("a room that the caller may not enter is one line", async () => {
    const token = (await parley(["token", "user", "ada"])).stdout.trim();
    const args = ["transcribe", recording, "--identity", "ada", "--room", "secret", "--api-key", token];
    const refused = await parley(args);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^not allowed: room_name: .*\n$/);
  });

  test("Ctrl-C ends a transcription with exit code 130 and one word", async () => {
    const args = ["transcribe", recording, "--realtime"];
    const run = await parley(args, { interruptAt: "session " });
    expect(run).toMatchObject({ exitCode: 130, stderr: "interrupted\n" });
  });

  test.skipIf(!hasScript)("Ctrl-C on a terminal ends it as well (skipped without script)", async () => {
    const { exitCode, screen } = await onTerminal(["transcribe", recording, "--realtime"], "0:00.0 / 0:02.9");
    expect(exitCode).toBe(130);
    expect(screen).toMatch(/interrupted\r?\n/);
  });

  test("a reader that has enough ends the command without a word", async () => {
    const run = await parley(["transcribe", recording], { closeAt: "session " });
    expect(run).toMatchObject({ exitCode: 141, stderr: "" });
  });

  describe("with a server of its own", () => {
    const own = { TMPDIR: scratchFolder() };

    test("transcribe --local --json prints one object and leaves nothing behind", async () => {
      const { exitCode, stdout, stderr } = await parley(["transcribe", recording, "--local", "--json"], {
        env: own,
      });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(Object.keys(JSON.parse(stdout) as object)).toContain("interviewId");
      expect(readdirSync(own.TMPDIR)).toEqual([]);
    });

    test("Ctrl-C leaves nothing behind", async () => {
      const args = ["transcribe", recording, "--local", "--realtime"];
      const run = await parley(args, { env: own, interruptAt: "session " });
      expect(run).toMatchObject({ exitCode: 130, stderr: "interrupted\n" });
      expect(readdirSync(own.TMPDIR)).toEqual([]);
    });

    test("the demo ends by itself when there is no terminal", async () => {
      const { exitCode, stdout, stderr } = await parley(["demo"], { env: own });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(stdout).toMatch(
        /Report .*[^]*The studio: http:\/\/127\.0\.0\.1:\d+\nAPI key for trying the server: pk_/,
      );
      expect(stdout).not.toContain("Ctrl-C");
    });

    test("serve goes on serving until it is told to stop", async () => {
      const run = await parley(["serve"], {
        env: { DATA_DIR: join(own.TMPDIR, "data"), PORT: "0", LOG_LEVEL: "info" },
        interruptAt: "Development API key: pk_",
      });
      expect(run).toMatchObject({ exitCode: 0, stderr: "" });
      expect(run.stdout).toContain('"msg":"stopped"');
    });
  });
});
