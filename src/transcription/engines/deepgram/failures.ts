/**
 * What it means when Deepgram refuses or ends a connection. An EngineError's message may reach a client and tells nothing of
 * how this server is set up; what an operator can do, and where, is in its cause. Neither holds the key nor anything that
 * Deepgram sent, but for its error number.
 */
import { EngineError, type EngineErrorCode } from "../speech-engine.ts";

/** Why, in words for an operator: names the server and the variables. Never for a client. */
class OperatorDetail extends Error {
  override readonly name = "OperatorDetail";
}

/** The whole of it, for the log and for health. */
export function forOperator({ message, cause }: EngineError): string {
  return cause instanceof OperatorDetail ? `${message} (${cause.message})` : message;
}

/** Of a server that is not there, or does not answer. Worth a retry. */
export function serverFailure(message: string, detail: string): EngineError {
  return new EngineError("unavailable", message, { cause: new OperatorDetail(detail) });
}

/** Of a handshake that was answered with something other than 101. */
export function handshakeFailure(status: number, server: string): EngineError {
  const answered = `${server} answered HTTP ${status}`;
  const failure = (code: EngineErrorCode, message: string, retryable: boolean, advice?: string) => {
    const cause = new OperatorDetail(advice === undefined ? answered : `${answered}; ${advice}`);
    return new EngineError(code, message, { cause, retryable });
  };
  switch (status) {
    case 400:
      return failure("unsupported", "Deepgram does not take this language or these options", false);
    case 401:
    case 403:
      return failure("unavailable", "Deepgram opens no stream", false, "check DEEPGRAM_API_KEY");
    case 402:
      return failure("unavailable", "Deepgram opens no stream", false, "the account has no credit left");
    case 404:
      return failure("unavailable", "Deepgram opens no stream", false, "check DEEPGRAM_URL");
    case 429:
      return failure(
        "capacity",
        "Deepgram takes no further stream now",
        true,
        "the account has reached its limit",
      );
    default:
      // A redirection is not followed, since it would take the key along.
      return failure("unavailable", "Deepgram opens no stream", status >= 500 || status === 408);
  }
}

/** Close codes after which the same audio would meet the same end: what was sent is not to Deepgram's liking. */
const hopelessCodes: ReadonlySet<number> = new Set([1002, 1003, 1007, 1008]);

/** Of a connection that ended without being asked to. All other codes, 1006 and 4xxx among them, are worth a retry. */
export function closeFailure(code: number, reason: string): EngineError {
  const [, area, number] = /\b(NET|DATA)-?(\d{4})\b/i.exec(reason) ?? [];
  const named = number === undefined ? `${code}` : `${code}, ${area?.toUpperCase()}-${number}`;
  return hopelessCodes.has(code)
    ? new EngineError("internal", `Deepgram does not take what it was sent (close code ${named})`)
    : new EngineError("unavailable", `Deepgram ended the stream (close code ${named})`);
}
