/**
 * The hash that chains events: SHA-256 over the hash of the event before and, right after it, the UTF-8 bytes of the JSON array
 * `[sequence, createTime in milliseconds since 1970, actor, action, subject, outcome, peerAddress]`, written without white
 * space, as ECMA-262's JSON.stringify writes it. So it is said of AuditEvent.hash in token.proto: anybody can compute it.
 */
import { createHash } from "node:crypto";
import type { AuditEvent } from "./audit-event.ts";

export function hashEvent(event: Omit<AuditEvent, "hash">): Uint8Array {
  const { sequence, createTime, actor, action, subject, outcome, peerAddress } = event;
  const text = JSON.stringify([sequence, createTime.getTime(), actor, action, subject, outcome, peerAddress]);
  return new Uint8Array(createHash("sha256").update(event.previousHash).update(text, "utf8").digest());
}
