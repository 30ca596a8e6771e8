/** What a failure means for the session's record, and for its client. */
import { SessionError } from "../session-error.ts";
import type { SessionEndReason } from "../session-store.ts";
import { isFenced, isRetryable } from "./committer.ts";

export function endReasonOf(error: SessionError): SessionEndReason {
  switch (error.code) {
    case "invalid":
    case "unsupported":
    case "forbidden":
    case "limit":
    case "unknown-session":
    case "session-over":
    case "erased":
      return "client-error";
    case "client-gone":
      return "client-gone";
    case "reader-stalled":
    case "idle":
      return "stalled";
    case "token-expired":
      return "token-expired";
    case "capacity":
    case "engine-unavailable":
      return "engine-failed";
    case "stopping":
      return "server-stopped";
    case "superseded":
    case "storage-unavailable":
    case "internal":
      return "server-error";
  }
}

export function asSessionError(error: unknown): SessionError {
  if (error instanceof SessionError) return error;
  if (isFenced(error))
    return new SessionError("superseded", "the session was continued by another stream, or has ended", error);
  return isRetryable(error)
    ? new SessionError("storage-unavailable", "the database does not answer; try again", error)
    : new SessionError("internal", "the session failed", error);
}
