/** Why the page cannot act for somebody, in words that can be shown to them. */

/**
 * - `signed-out`: nobody is signed in
 * - `expired`: the sign-in is no longer good, and has to be done again
 * - `room`: the token is for another room
 * - `provider`: the OpenID provider did not do what was expected
 */
export type SignInErrorCode = "signed-out" | "expired" | "room" | "provider";

export class SignInError extends Error {
  override readonly name = "SignInError";
  readonly code: SignInErrorCode;
  /** Whether the same may work a moment later. */
  readonly retryable: boolean;

  constructor(
    code: SignInErrorCode,
    message: string,
    options: { retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** The SignInError that an error is, or that stopped a call on its way out: Connect hands such errors on as the cause of its own. */
export function signInErrorOf(error: unknown): SignInError | undefined {
  if (error instanceof SignInError) return error;
  return error instanceof Error && error.cause instanceof SignInError ? error.cause : undefined;
}
