/** Chains of audit events for tests, as the log makes them. */
import { chainStart } from "../../../src/token/audit/audit-event.ts";
import type { AuditEntry, AuditEvent, AuditRecord, ChainLink } from "../../../src/token/audit/audit-event.ts";
import { linkEvents } from "../../../src/token/audit/link-events.ts";
import { pruneEntry } from "../../../src/token/audit/prune-event.ts";
import { toRecord } from "../../../src/token/audit/to-record.ts";

export const startMs = Date.parse("2026-01-02T03:04:05.678Z");

export function entry(subject: string, fields: Partial<AuditEntry> = {}): AuditEntry {
  return {
    actor: "user:ada",
    action: "token.create",
    subject,
    outcome: "ok",
    peerAddress: "192.0.2.1",
    ...fields,
  };
}

export function record(subject: string, fields: Partial<AuditEntry> = {}, atMs = startMs): AuditRecord {
  return toRecord(entry(subject, fields), atMs);
}

/** One after the other, a second apart. */
export function makeChain(length: number, head: ChainLink = chainStart): AuditEvent[] {
  const records = Array.from({ length }, (_, index) => record(`event-${index}`, {}, startMs + index * 1000));
  return linkEvents(head, records);
}

/** As retention leaves it: without its first events, and with one at the end that says so. */
export function prune(chain: readonly AuditEvent[], count: number): AuditEvent[] {
  const rest = chain.slice(count);
  const seal = toRecord(pruneEntry(chain[count - 1]!), startMs);
  return [...rest, ...linkEvents(chain.at(-1)!, [seal])];
}
