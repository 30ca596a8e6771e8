/** What can go wrong in a session, free of any transport. Messages tell the caller what to do. */

export type SessionErrorCode =
  /** The client sent what is not allowed. */
  | "invalid"
  /** The client asked for what this server does not have. */
  | "unsupported"
  /** The client asked for a room or an identity that is not its own. */
  | "forbidden"
  /** A limit of this server is reached; the message names it. */
  | "limit"
  /** The engine has no room for another stream. */
  | "capacity"
  /** The engine is gone and did not come back. */
  | "engine-unavailable"
  /** The client did not read its events. */
  | "reader-stalled"
  /** The client sent nothing for too long. */
  | "idle"
  /** There is no such session to continue. */
  | "unknown-session"
  /** The session to continue is over. */
  | "session-over"
  /** There is nothing any more where a cursor points. */
  | "erased"
  /** The token expired or was revoked, or the one that was to replace it is no good. */
  | "token-expired"
  /** The client went away; there is nobody to tell. */
  | "client-gone"
  /** The database does not answer. */
  | "storage-unavailable"
  /** The session was taken over by another stream, or ended elsewhere. */
  | "superseded"
  /** The server is shutting down. */
  | "stopping"
  /** A defect. */
  | "internal";

/** After these the session is over; after any other it can be continued. */
const finalCodes: ReadonlySet<SessionErrorCode> = new Set(["invalid", "unsupported", "forbidden", "limit"]);

const retryableCodes: ReadonlySet<SessionErrorCode> = new Set([
  "capacity",
  "engine-unavailable",
  "storage-unavailable",
  "stopping",
]);

export class SessionError extends Error {
  override readonly name = "SessionError";
  readonly code: SessionErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;

  constructor(code: SessionErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryableCodes.has(code);
  }

  /** Whether the session cannot be continued after it. */
  get isFinal(): boolean {
    return finalCodes.has(this.code);
  }
}
