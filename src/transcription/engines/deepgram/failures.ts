/**
 * What it means when Deepgram refuses or ends a connection. Texts name what an operator can do; they hold neither the key
 * nor anything that Deepgram sent, but for its error number.
 */
import { EngineError } from "../speech-engine.ts";

/** Of a handshake that was answered with something other than 101. */
export function handshakeFailure(status: number, server: string): EngineError {
  const answered = `(${server} answered HTTP ${status})`;
  const refused = (message: string) => new EngineError("unavailable", message, { retryable: false });
  switch (status) {
    case 400:
      return new EngineError(
        "unsupported",
        `Deepgram does not take this language or these options ${answered}`,
      );
    case 401:
    case 403:
      return refused(`Deepgram refuses the API key; check DEEPGRAM_API_KEY ${answered}`);
    case 402:
      return refused(`the Deepgram account has no credit left ${answered}`);
    case 404:
      return refused(`there is no live transcription at this address; check DEEPGRAM_URL ${answered}`);
    case 429:
      return new EngineError("capacity", `Deepgram takes no further stream of this account now ${answered}`);
    default:
      // A redirection is not followed, since it would take the key along.
      return new EngineError("unavailable", `Deepgram does not open a stream ${answered}`, {
        retryable: status >= 500 || status === 408,
      });
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
