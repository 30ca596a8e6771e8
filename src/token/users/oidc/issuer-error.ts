/** Why an issuer's keys cannot be had. For an operator: a caller is told only that it is so. */

export class IssuerError extends Error {
  override readonly name = "IssuerError";
  /** The issuer does not answer, or not as it should; the same call may succeed later. */
  readonly code = "unavailable";
  readonly retryable = true;

  /** `message` must hold no address: it is shown by health, which anybody can ask. */
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
  }
}
