/** How a transcription fails. Never holds a token or a word that was spoken. */

/**
 * What went wrong, for code to act on:
 * - `invalid`: the app, or the config, asks for something that is not allowed;
 * - `unauthenticated`: the server does not take the token, and there is no fresh one;
 * - `forbidden`: the token is good, and does not allow this;
 * - `unsupported`: the server, or this client, does not have what is asked for;
 * - `session-lost`: the session cannot be continued any more; what was acknowledged is stored;
 * - `superseded`: another client continues the session;
 * - `capacity`: the server was full, or a limit was reached, for too long;
 * - `unreachable`: the server could not be reached for too long;
 * - `cancelled`: the app gave up.
 */
export type TranscriptionErrorCode =
  | "invalid"
  | "unauthenticated"
  | "forbidden"
  | "unsupported"
  | "session-lost"
  | "superseded"
  | "capacity"
  | "unreachable"
  | "cancelled";

export class TranscriptionError extends Error {
  override readonly name = "TranscriptionError";
  readonly code: TranscriptionErrorCode;

  constructor(code: TranscriptionErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
