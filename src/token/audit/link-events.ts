/** Puts records in their places at the end of the chain. */
import type { AuditEvent, AuditRecord, ChainLink } from "./audit-event.ts";
import { hashEvent } from "./hash-event.ts";

export function linkEvents(head: ChainLink, records: readonly AuditRecord[]): AuditEvent[] {
  let before = head;
  return records.map((record) => (before = linkEvent(before, record)));
}

export function linkEvent(before: ChainLink, record: AuditRecord): AuditEvent {
  const event = { ...record, sequence: before.sequence + 1, previousHash: before.hash };
  return { ...event, hash: hashEvent(event) };
}
