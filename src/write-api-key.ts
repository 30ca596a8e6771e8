/**
 * Makes an API key in the configured database itself, without a server: the first key of a server in production, which has
 * none to ask with. Like main.ts it knows the parts it joins.
 */
import { pino } from "pino";
import { systemClock } from "./clock.ts";
import { readConfig } from "./config.ts";
import { openStorage } from "./storage/open-storage.ts";
import { makeApiKey } from "./token/api-keys/api-key.ts";
import type { NewApiKey } from "./token/api-keys/api-key.ts";
import type { StoredApiKey } from "./token/api-keys/api-key-store.ts";
import { serverActor } from "./token/audit/audit-event.ts";
import { AuditLog } from "./token/audit/audit-log.ts";
import type { AuditStore } from "./token/audit/audit-store.ts";
import { nameSubject } from "./token/audit/name-subject.ts";

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
    await tellAuditLog(storage.audit, stored);
    return key;
  } finally {
    await storage.close();
  }
}

/** As of a key that a server makes, but that nobody called: whoever may write to the database needs no credential. */
async function tellAuditLog(store: AuditStore, { apiKeyId, scopes }: StoredApiKey): Promise<void> {
  const auditLog = new AuditLog({ store, clock: systemClock, onProblem: () => undefined }); // flush rejects
  const subject = nameSubject({ api_key_id: apiKeyId, scopes });
  auditLog.record({ actor: serverActor, action: "api_key.create", subject, outcome: "ok" });
  await auditLog.flush();
}
