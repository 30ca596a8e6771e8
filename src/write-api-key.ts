/**
 * Makes an API key in the configured database itself, without a server: the first key of a server in production, which has
 * none to ask with. Like main.ts it knows the parts it joins.
 */
import { pino } from "pino";
import { readConfig } from "./config.ts";
import { openStorage } from "./storage/open-storage.ts";
import { makeApiKey } from "./token/api-keys/api-key.ts";
import type { NewApiKey } from "./token/api-keys/api-key.ts";

/** Returns the key, which is nowhere else. Rejects with ConfigError, or with StorageError when the database is in use. */
export async function writeApiKey(request: NewApiKey): Promise<string> {
  const config = readConfig();
  const storage = await openStorage({
    dataDir: config.dataDir,
    ...(config.databaseUrl !== undefined && { url: config.databaseUrl }),
    log: pino({ level: "silent" }),
  });
  try {
    const { key, stored } = makeApiKey(request, Date.now());
    await storage.apiKeys.create(stored);
    return key;
  } finally {
    await storage.close();
  }
}
