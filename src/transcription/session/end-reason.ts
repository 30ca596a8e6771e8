/** What a failure means for the session's record, and for its client. */
import { SessionError } from "../session-error.ts";
import type { SessionEndReason } from "../session-store.ts";

export function endReasonOf(error: SessionError): SessionEndReason {
  switch (error.code) {
    case "invalid":
    case "unsupported":
    case "forbidden":
      return "client-error";
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
    case "internal":
      return "server-error";
  }
}

export function asSessionError(error: unknown): SessionError {
  return error instanceof SessionError ? error : new SessionError("internal", "the session failed", error);
}
