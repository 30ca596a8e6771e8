/** The first key of a server in production: made by the command, in the database itself. */
import { execFile } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { matchesApiKey, parseApiKey } from "../src/token/api-keys/api-key.ts";
import { openStorage } from "../src/storage/open-storage.ts";
import { describePostgres, silentLog } from "./storage/databases.ts";

const root = join(import.meta.dirname, "..");

async function keysCreate(env: Record<string, string>): Promise<string> {
  const args = [
    join(root, "src/cli/main.ts"),
    "keys",
    "create",
    "first",
    "--scopes",
    "admin,tokens",
    "--database",
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, ...env } });
  return stdout.trim();
}

async function expectKey(key: string, options: { url?: string; dataDir: string }): Promise<void> {
  const storage = await openStorage({ ...options, log: silentLog });
  const parsed = parseApiKey(key)!;
  const stored = await storage.apiKeys.get(parsed.apiKeyId);
  const { items: events } = await storage.audit.list({}, { size: 2 });
  await storage.close();
  expect(stored).toMatchObject({ displayName: "first", scopes: ["admin", "tokens"] });
  expect(events).toMatchObject([
    {
      actor: "server",
      action: "api_key.create",
      subject: `api_key_id=${parsed.apiKeyId} scopes=admin,tokens`,
      outcome: "ok",
    },
  ]);
  expect(matchesApiKey(parsed.secret, stored!, Date.now())).toBe(true);
}

test("on PGlite", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "parley-test-"));
  await expectKey(await keysCreate({ DATA_DIR: dataDir }), { dataDir });
});

describePostgres("on PostgreSQL, in production", (url) => {
  test("needs no other key", async () => {
    const env = { NODE_ENV: "production", JWT_SECRET: "x".repeat(32), DATABASE_URL: url() };
    await expectKey(await keysCreate(env), { url: url(), dataDir: "unused" });
  });
});
