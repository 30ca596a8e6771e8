/**
 * What the audit log holds: who did what to what, and how it ended. Never a token, a secret or a word spoken.
 *
 * Each event is chained to the one before: its hash is SHA-256 over the hash before it and the UTF-8 bytes of the JSON array
 * `[sequence, createTime in milliseconds since 1970, actor, action, subject, outcome, peerAddress]`.
 */

export interface AuditEntry {
  /** Kind of credential and its subject, `user:ada`, `service:<api key id>`; `unknown` for a refused one; or `server`. */
  readonly actor: string;
  /** `token.create`, `token.refresh`, `credential.refuse`, and so on. */
  readonly action: string;
  /** To what: a room, a token id, an API key id. Empty where there is nothing to name. */
  readonly subject: string;
  /** `ok`, or why not. */
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
