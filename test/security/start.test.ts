/** Class 32: a server whose secrets are too short to be any does not start, and says which, and never what they are. */
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { ConfigError, readConfig } from "../../src/config.ts";
import { startTestServer } from "../e2e/start-test-server.ts";

const short = "Short.5b0c91d7e2f4-31-bytes-lng";
const long = `${short}!`;
const production = {
  NODE_ENV: "production",
  DATABASE_URL: "postgres://127.0.0.1:9/parley",
  JWT_SECRET: "the-secret-of-the-server-in-32-bytes",
};
const others = {
  LIVEKIT_API_SECRET: { LIVEKIT_URL: "ws://127.0.0.1:9", LIVEKIT_API_KEY: "key" },
  JITSI_APP_SECRET: { JITSI_DOMAIN: "meet.example", JITSI_APP_ID: "app" },
  SFU_JWT_SECRET: { SFU_URL: "ws://127.0.0.1:9" },
  TRANSCRIPTION_SERVICE_API_KEY: {},
} as const;

function problemsOf(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).not.toContain(short);
    return (error as ConfigError).problems;
  }
}

test("the secrets here are on both sides of 32 bytes", () => {
  expect([Buffer.byteLength(short), Buffer.byteLength(long)]).toEqual([31, 32]);
});

describe("class 32", () => {
  test.each(["JWT_SECRET", "JWT_SECRET_PREVIOUS"])("%s under 32 bytes is refused everywhere", (name) => {
    for (const env of [{}, production]) {
      expect(problemsOf({ ...env, [name]: short })).toEqual([
        expect.stringMatching(new RegExp(`^${name}: expected .*32 bytes`)),
      ]);
      expect(problemsOf({ ...env, [name]: long })).toEqual([]);
      // Sixteen characters of two bytes each are 32 bytes; thirty-one letters are not.
      expect(problemsOf({ ...env, [name]: "é".repeat(16) })).toEqual([]);
      expect(problemsOf({ ...env, [name]: "x".repeat(31) })).toHaveLength(1);
    }
  });

  test.each(Object.entries(others))("%s under 32 bytes is refused in production", (name, besides) => {
    const env = { ...production, ...besides };
    expect(problemsOf({ ...env, [name]: short })).toEqual([
      expect.stringMatching(new RegExp(`^${name}: expected .*32 bytes`)),
    ]);
    expect(problemsOf({ ...env, [name]: long })).toEqual([]);
  });

  test("no secret at all is refused in production, and none is generated", () => {
    const { JWT_SECRET: _, ...env } = production;
    expect(problemsOf(env)).toEqual([expect.stringMatching(/^JWT_SECRET: expected .*32 bytes/)]);
  });

  test("a key for EdDSA that is of another kind, or none, stops the server and is named", async () => {
    const folder = await mkdtemp(join(tmpdir(), "parley-test-"));
    const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
    for (const [name, content] of [
      ["rsa.pem", rsa.export({ type: "pkcs8", format: "pem" }).toString()],
      ["none.pem", short],
    ] as const) {
      const path = join(folder, name);
      await writeFile(path, content);
      const started = startTestServer({ JWT_PRIVATE_KEY_FILE: path });
      await expect(started).rejects.toThrow(
        /JWT_PRIVATE_KEY_FILE, JWT_PUBLIC_KEY_FILES: expected an Ed25519 key/,
      );
      await expect(started).rejects.not.toThrow(short);
    }
  });

  test("the program itself ends with an error, and nothing of the secret is in its last words", async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "../../src/start.ts")], {
      cwd: await mkdtemp(join(tmpdir(), "parley-test-")),
      env: { PATH: process.env["PATH"], PORT: "0", JWT_SECRET: short },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(await exited).toBe(1);
    expect(stderr).toMatch(/JWT_SECRET: expected .*32 bytes/);
    expect(stdout).toBe("");
    expect(stderr).not.toContain(short);
  });
});
