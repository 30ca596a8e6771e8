/**
 * Ends a JSON WebSocket that failed: tells `{"type":"error","code":…,"message":…}`, then closes with a code that says what to
 * do. `code` is the gRPC code in lower case; the close's reason begins as the message does.
 *
 * | close | code | what to do |
 * |---|---|---|
 * | 4400 | invalid_argument, out_of_range | send what is allowed |
 * | 4401 | unauthenticated | connect with a fresh token, and resume |
 * | 4403 | permission_denied | send a token that may do this |
 * | 4404 | not_found | open a new session |
 * | 4408 | deadline_exceeded | send audio or keepAlive in time; resume |
 * | 4409 | aborted, failed_precondition | another stream goes on with the session, or it is over |
 * | 4422 | unimplemented | ask for what the server has |
 * | 4429 | resource_exhausted | wait, or read what is sent |
 * | 1011 | internal, and what has no other | report the id in the message |
 * | 1013 | unavailable | try again, and resume |
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { closeCodes } from "../web-socket-endpoint.ts";
import type { ServerSocket } from "../web-socket-endpoint.ts";

const ownCloseCodes: Partial<Readonly<Record<Code, number>>> = {
  [Code.InvalidArgument]: 4400,
  [Code.OutOfRange]: 4400,
  [Code.Unauthenticated]: 4401,
  [Code.PermissionDenied]: 4403,
  [Code.NotFound]: 4404,
  [Code.DeadlineExceeded]: 4408,
  [Code.Aborted]: 4409,
  [Code.FailedPrecondition]: 4409,
  [Code.Unimplemented]: 4422,
  [Code.ResourceExhausted]: 4429,
  [Code.Unavailable]: closeCodes.tryAgainLater,
};

/** RFC 6455, section 5.5: 125 bytes with the code. */
const maxReasonBytes = 123;

/** Nothing when the socket is closed already. */
export function tellFailure(socket: ServerSocket, reason: unknown): void {
  if (socket.signal.aborted) return;
  const error = ConnectError.from(reason, Code.Internal);
  const message = reason instanceof ConnectError ? inCamelCase(error.rawMessage) : "internal error";
  socket.sendText(JSON.stringify({ type: "error", code: codeToString(error.code), message }));
  socket.close(ownCloseCodes[error.code] ?? closeCodes.internalError, cut(message));
}

/** Fields are called so in JSON. */
function inCamelCase(message: string): string {
  return message.replace(/\b[a-z]+(?:_[a-z0-9]+)+\b/g, (name) =>
    name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
  );
}

function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxReasonBytes) return text;
  // A character that is cut in two becomes a replacement, which takes three bytes.
  return bytes.subarray(0, maxReasonBytes - 3).toString("utf8");
}
