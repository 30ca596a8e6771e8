/**
 * What the audit log holds: who did what to what, and how it ended. Never a token, a secret or a word spoken.
 *
 * Each event is chained to the one before by its hash (hash-event.ts), so that nothing in between can be changed, added or
 * taken away without being found (verify-chain.ts).
 */

export interface AuditEntry {
  /** Kind of credential and its subject, `user:ada`, `service:<api key id>`; `unknown` for a refused one; or `server`. */
  readonly actor: string;
  /** `token.create`, `token.refresh`, `credential.refuse`, and so on. */
  readonly action: string;
  /** To what, as name-subject.ts writes it: `room_name=talk`. Empty where there is nothing to name. */
  readonly subject: string;
  /** `ok`, or why not. Followed by ` ×` and a number where one event stands for so many. */
  readonly outcome: string;
  /** Absent: no call was it that did it. */
  readonly peerAddress?: string;
}

/** Where events go. The log itself is made in audit-log.ts; others need no more than this of it. */
export interface AuditSink {
  /** Takes the event at once, to be written within a moment. Never throws. */
  record(entry: AuditEntry): void;
  /** Resolves when all that was recorded until now is in the database; rejects when it cannot be written. */
  flush(): Promise<void>;
}

/** What the server does by itself. */
export const serverActor = "server";
/** Whoever calls without a credential that is good. */
export const unknownActor = "unknown";

/** An entry as it is stored, with its time and without its place. */
export interface AuditRecord extends AuditEntry {
  readonly createTime: Date;
  /** Empty: no call was it that did it. */
  readonly peerAddress: string;
}

/** A record in its place. */
export interface AuditEvent extends AuditRecord, ChainLink {
  /** `hash` of the event before. */
  readonly previousHash: Uint8Array;
}

/** An event, as far as the next one needs to know it. */
export interface ChainLink {
  /** From 1, without a gap. */
  readonly sequence: number;
  /** SHA-256: 32 bytes. */
  readonly hash: Uint8Array;
}

/** What the first event follows. */
export const chainStart: ChainLink = { sequence: 0, hash: new Uint8Array(32) };
