/**
 * Says what is to be done about a stream that broke: try again, and how, or fail. Knows what Connect makes of sockets
 * that die; never retries itself.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { TranscriptionError } from "./transcription-error.ts";
import type { TranscriptionErrorCode } from "./transcription-error.ts";

export type Verdict =
  | { readonly action: "retry" }
  /** The server has too much to do. */
  | { readonly action: "retry-slowly" }
  /** With a fresh token. */
  | { readonly action: "renew-token" }
  /** Another stream continues the session. */
  | { readonly action: "superseded"; readonly error: TranscriptionError }
  | { readonly action: "fail"; readonly error: TranscriptionError };

/** `hasSession`: there is a session that the stream began or was to continue. */
export function judgeFailure(failure: unknown, hasSession: boolean): Verdict {
  if (failure instanceof TranscriptionError) return { action: "fail", error: failure };
  const error = ConnectError.from(failure);
  const fail = (code: TranscriptionErrorCode, what: string): Verdict => ({
    action: "fail",
    error: new TranscriptionError(code, `${what}: ${error.rawMessage}`, error),
  });
  switch (error.code) {
    case Code.Unauthenticated:
      return { action: "renew-token" };
    case Code.ResourceExhausted:
      return { action: "retry-slowly" };
    case Code.Aborted: {
      // connect-node says "aborted" of a connection that was reset, too, and keeps the socket's error as the cause.
      if (error.cause !== undefined) return { action: "retry" };
      const message = `another client continues the session: ${error.rawMessage}`;
      return { action: "superseded", error: new TranscriptionError("superseded", message, error) };
    }
    case Code.InvalidArgument:
    case Code.OutOfRange:
    case Code.AlreadyExists:
      return fail("invalid", "the server refuses what was sent");
    case Code.PermissionDenied:
      return fail("forbidden", "the token does not allow this");
    case Code.Unimplemented:
      return fail("unsupported", "the server does not have this");
    case Code.NotFound:
    case Code.FailedPrecondition:
      return hasSession
        ? fail("session-lost", "the session cannot be continued; what was acknowledged is stored")
        : fail("invalid", "the server refuses the session");
    case Code.Canceled:
    case Code.Unknown:
    case Code.DeadlineExceeded:
    case Code.Internal:
    case Code.Unavailable:
    case Code.DataLoss:
      return { action: "retry" };
  }
}
