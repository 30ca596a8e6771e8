import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseApiKey } from "../../../src/token/api-keys/api-key.ts";
import { readLocalSecrets, readOrMakeLocalSecrets } from "../../../src/token/keys/local-secrets.ts";

const moduleUrl = new URL("../../../src/token/keys/local-secrets.ts", import.meta.url).href;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-secrets-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("they are made once, and stay", async () => {
  expect(await readLocalSecrets(folder)).toBeUndefined();
  const made = await readOrMakeLocalSecrets(folder);
  expect(Buffer.byteLength(made.jwtSecret)).toBeGreaterThanOrEqual(32);
  expect(parseApiKey(made.developmentApiKey)).toBeDefined();
  expect(await readOrMakeLocalSecrets(folder)).toEqual(made);
  expect(await readLocalSecrets(folder)).toEqual(made);
});

test("the folder is made with its parents; where it cannot be, that is said", async () => {
  const nested = join(folder, "a", "b", "c");
  expect(await readOrMakeLocalSecrets(nested)).toEqual(await readLocalSecrets(nested));
  await writeFile(join(folder, "file"), "");
  await expect(readOrMakeLocalSecrets(join(folder, "file", "below"))).rejects.toThrow(
    /^DATA_DIR: expected a folder/,
  );
});

test.skipIf(process.platform !== "linux")("a folder below /proc is refused, not tried for ever", async () => {
  await expect(readOrMakeLocalSecrets("/proc/parley")).rejects.toThrow(/^DATA_DIR: expected a folder/);
});

test("only the owner can read the file, whatever the umask, and no draft is left", async () => {
  const before = process.umask(0);
  try {
    await readOrMakeLocalSecrets(folder);
  } finally {
    process.umask(before);
  }
  expect(await readdir(folder)).toEqual(["secrets.json"]);
  expect((await stat(join(folder, "secrets.json"))).mode & 0o777).toBe(0o600);
});

test("the folder is made when it is not there", async () => {
  const inner = join(folder, "a", "b");
  const made = await readOrMakeLocalSecrets(inner);
  expect(await readLocalSecrets(inner)).toEqual(made);
});

test("two folders have nothing in common", async () => {
  const one = await readOrMakeLocalSecrets(join(folder, "one"));
  const other = await readOrMakeLocalSecrets(join(folder, "other"));
  expect(one.jwtSecret).not.toBe(other.jwtSecret);
  expect(one.developmentApiKey).not.toBe(other.developmentApiKey);
});

test("many callers that race agree", async () => {
  const made = await Promise.all(Array.from({ length: 20 }, () => readOrMakeLocalSecrets(folder)));
  expect(new Set(made.map((secrets) => JSON.stringify(secrets))).size).toBe(1);
  expect(await readdir(folder)).toEqual(["secrets.json"]);
});

test("processes that race agree", async () => {
  const program = `
    const { readOrMakeLocalSecrets } = await import(${JSON.stringify(moduleUrl)});
    process.stdout.write(JSON.stringify(await readOrMakeLocalSecrets(process.argv[1])));`;
  const run = promisify(execFile);
  const made = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program, folder]);
      return JSON.parse(stdout) as unknown;
    }),
  );
  const stored = JSON.parse(await readFile(join(folder, "secrets.json"), "utf8")) as unknown;
  for (const secrets of made) expect(secrets).toEqual(stored);
});

describe("a damaged file is a clear error that says what to do and shows nothing of it", () => {
  const key = `pk_${"0".repeat(16)}_${"A".repeat(43)}`;
  const jwtSecret = "canary-secret-canary-secret-canary-secret";
  test.each([
    ["empty", ""],
    ["cut off", JSON.stringify({ jwtSecret, developmentApiKey: key }).slice(0, -20)],
    ["not an object", "null"],
    ["a list", "[]"],
    ["without a key", JSON.stringify({ jwtSecret })],
    ["with a key that is none", JSON.stringify({ jwtSecret, developmentApiKey: "pk_canary" })],
    ["with a secret that is too short", JSON.stringify({ jwtSecret: "canary", developmentApiKey: key })],
    ["with numbers", JSON.stringify({ jwtSecret: 7, developmentApiKey: 7 })],
  ])("%s", async (_, text) => {
    const file = join(folder, "secrets.json");
    await writeFile(file, text);
    const error = await readOrMakeLocalSecrets(folder).catch((caught: unknown) => caught as Error);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toContain(file);
    expect((error as Error).message).toContain("delete it");
    expect((error as Error).message).not.toContain("canary");
    expect(await readFile(file, "utf8")).toBe(text);
  });

  test("a folder in its place", async () => {
    await readOrMakeLocalSecrets(join(folder, "secrets.json"));
    await expect(readOrMakeLocalSecrets(folder)).rejects.toThrow("EISDIR");
  });
});
