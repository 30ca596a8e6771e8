/**
 * What it means when Deepgram refuses or ends a connection. An EngineError's message may reach a client and tells nothing
 * of how this server is set up; what an operator can do, and where, is in its cause. Neither holds the key nor anything
 * that Deepgram sent, but for its error number.
 */
import { EngineError, type EngineErrorCode } from "../speech-engine.ts";

/** Why a server gives no stream, and which server: for the log only. */
class ServerDetail extends Error {
  override readonly name = "ServerDetail";
  /** Without the server. */
  readonly reason: string;

  constructor(server: string, reason: string) {
    super(`${server}: ${reason}`);
    this.reason = reason;
  }
}

/** All that is known, for the log. */
export function forLog({ message, cause }: EngineError): string {
  return cause instanceof ServerDetail ? `${message} (${cause.message})` : message;
}

/** For health, which an operator looks at and anybody can: no address. */
export function forHealth({ message, cause }: EngineError): string {
  return cause instanceof ServerDetail ? `${message} (${cause.reason})` : message;
}

/** Of a server that is not there, or does not answer. Worth a retry. */
export function serverFailure(message: string, server: string, reason: string): EngineError {
  return new EngineError("unavailable", message, { cause: new ServerDetail(server, reason) });
}

/** Of a handshake that was answered with something other than 101. */
export function handshakeFailure(status: number, server: string): EngineError {
  const failure = (code: EngineErrorCode, message: string, retryable: boolean, advice?: string) => {
    const reason = advice === undefined ? `HTTP ${status}` : `HTTP ${status}; ${advice}`;
    return new EngineError(code, message, { cause: new ServerDetail(server, reason), retryable });
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
