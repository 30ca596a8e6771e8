/**
 * Checks the audit log in the configured database itself, without a server: for whoever trusts the database more than what
 * serves it. Like main.ts it knows the parts it joins. It changes nothing.
 */
import { pino } from "pino";
import { readConfig } from "./config.ts";
import { openStorage } from "./storage/open-storage.ts";
import type { AuditEvent, ChainLink } from "./token/audit/audit-event.ts";
import type { AuditStore } from "./token/audit/audit-store.ts";
import { verifyChain } from "./token/audit/verify-chain.ts";
import type { ChainVerdict } from "./token/audit/verify-chain.ts";

/** The end that the database remembers must be there as well. Rejects with ConfigError or StorageError. */
export async function verifyAuditLog(noted: readonly ChainLink[]): Promise<ChainVerdict> {
  const config = readConfig();
  const storage = await openStorage({
    dataDir: config.dataDir,
    ...(config.databaseUrl !== undefined && { url: config.databaseUrl }),
    log: pino({ level: "silent" }),
    migrate: false,
  });
  try {
    const head = await storage.audit.head();
    return await verifyChain(readEvents(storage.audit), {
      noted: head.sequence === 0 ? noted : [...noted, head],
    });
  } finally {
    await storage.close();
  }
}

async function* readEvents(store: AuditStore): AsyncGenerator<AuditEvent> {
  let after: string | undefined;
  do {
    const page = await store.list({}, { size: 500, ...(after !== undefined && { after }) });
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}
