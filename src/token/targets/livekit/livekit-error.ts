/**
 * What can go wrong with a LiveKit server, in words that are safe to log: the server repeats the token that it refuses, and
 * its SDK makes that the message of an error.
 */

export type LiveKitErrorCode =
  /** It takes neither key nor secret, or its clock is off by more than a minute. */
  | "unauthorized"
  /** The room or the participant is not there. */
  | "not-found"
  /** What answers does not do so as LiveKit should. */
  | "failing"
  /** Nothing answers in time. */
  | "unreachable";

export class LiveKitError extends Error {
  override readonly name = "LiveKitError";
  readonly code: LiveKitErrorCode;
  readonly retryable: boolean;

  constructor(code: LiveKitErrorCode, message: string) {
    super(message);
    this.code = code;
    this.retryable = code === "failing" || code === "unreachable";
  }
}

/** Takes what `livekit-server-sdk` rejects with, and keeps nothing of its text. */
export function toLiveKitError(error: unknown): LiveKitError {
  if (error instanceof LiveKitError) return error;
  if (!(error instanceof Error)) return new LiveKitError("failing", "LiveKit was asked in vain");
  if (error.name === "TimeoutError")
    return new LiveKitError("unreachable", "LiveKit does not answer in time");
  if ("status" in error && typeof error.status === "number") return fromHttpStatus(error.status);
  // What `fetch` rejects with has the reason as its cause.
  if (error instanceof TypeError && error.cause instanceof Error) {
    const code = "code" in error.cause ? String(error.cause.code) : error.cause.name;
    return new LiveKitError("unreachable", `LiveKit cannot be reached (${code})`);
  }
  return new LiveKitError("failing", `LiveKit's answer cannot be read (${error.name})`);
}

function fromHttpStatus(status: number): LiveKitError {
  const message = `LiveKit answers with HTTP ${status}`;
  if (status === 401 || status === 403) return new LiveKitError("unauthorized", message);
  return new LiveKitError(status === 404 ? "not-found" : "failing", message);
}
