/**
 * An entry as it can be stored: what PostgreSQL has no text for is replaced, and what is too long is cut. The hash is computed
 * over what comes out here, so nothing may change it on its way into the database and back.
 */
import type { AuditEntry, AuditRecord } from "./audit-event.ts";

/** Longest texts, in UTF-16 code units. What is longer ends with `…`, which counts. */
export const recordLimits = { actor: 300, action: 64, subject: 1024, outcome: 300, peerAddress: 64 } as const;

export function toRecord(entry: AuditEntry, nowMs: number): AuditRecord {
  return {
    createTime: new Date(Math.trunc(nowMs)),
    actor: storable(entry.actor, recordLimits.actor),
    action: storable(entry.action, recordLimits.action),
    subject: storable(entry.subject, recordLimits.subject),
    outcome: storable(entry.outcome, recordLimits.outcome),
    peerAddress: storable(entry.peerAddress ?? "", recordLimits.peerAddress),
  };
}

/** NUL and lone surrogates become U+FFFD, as everywhere in the database; the cut leaves no half of a character. */
function storable(text: string, maxLength: number): string {
  const cut =
    text.length <= maxLength ? text : `${text.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
  return cut.replaceAll("\0", "\uFFFD").toWellFormed();
}
