/** Why there is no sound to send. The message is for the person at the page, and says what to do. */

export type AudioErrorCode =
  | "microphone-refused"
  | "microphone-missing"
  | "microphone-busy"
  | "insecure-page"
  | "not-audio"
  | "too-long"
  | "not-loaded";

export class AudioError extends Error {
  override readonly name = "AudioError";
  readonly code: AudioErrorCode;

  constructor(code: AudioErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
