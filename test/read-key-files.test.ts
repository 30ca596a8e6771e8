import { generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ConfigError, readConfig } from "../src/config.ts";
import type { Environment } from "../src/config.ts";
import { readJitsiSettings, readJwtKeys } from "../src/read-key-files.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-keys-"));
afterAll(() => rmSync(folder, { recursive: true }));
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
const privatePem = ({ privateKey }: { privateKey: KeyObject }) =>
  privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const ed25519 = file("ed25519.pem", privatePem(generateKeyPairSync("ed25519")));
const next = file("next.pem", privatePem(generateKeyPairSync("ed25519")));
const rsa = file("rsa.pem", privatePem(generateKeyPairSync("rsa", { modulusLength: 2048 })));
const smallRsa = file("small.pem", privatePem(generateKeyPairSync("rsa", { modulusLength: 1024 })));
const garbage = file("garbage.pem", "canary");
const jitsi = { JITSI_DOMAIN: "meet.example", JITSI_APP_ID: "app" };

async function problem(read: Promise<unknown>): Promise<string> {
  const error = await read.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).problems.join("\n");
}
const jwtKeys = (env: Environment) => readJwtKeys(readConfig(env));
const jitsiSettings = (env: Environment) => readJitsiSettings(readConfig({ ...jitsi, ...env }));

describe("keys for transcription tokens", () => {
  test("are none without a file, and otherwise what the files hold", async () => {
    expect(await jwtKeys({})).toBeUndefined();
    const keys = await jwtKeys({ JWT_PRIVATE_KEY_FILE: ed25519, JWT_PUBLIC_KEY_FILES: `${next},${ed25519}` });
    expect(keys?.published).toHaveLength(2);
    expect(keys?.signing.kid).toBe(keys?.published[0]?.["kid"]);
  });

  test.each([
    [{ JWT_PUBLIC_KEY_FILES: "next.pem" }, /^JWT_PRIVATE_KEY_FILE: expected to be set/],
    [{ JWT_PRIVATE_KEY_FILE: "none.pem" }, /^JWT_PRIVATE_KEY_FILE: expected a readable file.*ENOENT/],
    [{ JWT_PRIVATE_KEY_FILE: ed25519, JWT_PUBLIC_KEY_FILES: "none.pem" }, /^JWT_PUBLIC_KEY_FILES: .*ENOENT/],
    [{ JWT_PRIVATE_KEY_FILE: garbage }, /^JWT_PRIVATE_KEY_FILE.*garbage\.pem/],
    [{ JWT_PRIVATE_KEY_FILE: rsa }, /^JWT_PRIVATE_KEY_FILE.*Ed25519.*rsa\.pem/],
  ])("%j stop the server, by the variable's name and without the content", async (env, message) => {
    const said = await problem(jwtKeys(env));
    expect(said).toMatch(message);
    expect(said).not.toMatch(/canary|BEGIN/);
  });
});

describe("the key for Jitsi tokens", () => {
  test("is a secret or an RSA key", async () => {
    expect(await readJitsiSettings(readConfig({}))).toBeUndefined();
    expect(await jitsiSettings({ JITSI_APP_SECRET: "s".repeat(32) })).toMatchObject({
      key: { alg: "HS256" },
    });
    expect(await jitsiSettings({ JITSI_PRIVATE_KEY_FILE: rsa, JITSI_KEY_ID: "k" })).toMatchObject({
      key: { alg: "RS256", kid: "k" },
    });
  });

  test.each([
    [ed25519, /^JITSI_PRIVATE_KEY_FILE.*RSA/],
    [smallRsa, /^JITSI_PRIVATE_KEY_FILE.*2048/],
    [garbage, /^JITSI_PRIVATE_KEY_FILE.*garbage\.pem/],
    ["none.pem", /^JITSI_PRIVATE_KEY_FILE.*ENOENT/],
  ])("%s stops the server", async (path, message) => {
    const said = await problem(jitsiSettings({ JITSI_PRIVATE_KEY_FILE: path, JITSI_KEY_ID: "k" }));
    expect(said).toMatch(message);
    expect(said).not.toMatch(/canary|BEGIN/);
  });
});
