/** Why a credential is no good. The reason is for the audit log and ValidateToken; a caller sees one uniform refusal. */

export type TokenErrorCode =
  | "malformed"
  | "algorithm"
  | "signature"
  | "expired"
  | "not-yet-valid"
  | "issuer"
  | "subject"
  | "audience"
  | "claim"
  | "room"
  | "grant"
  | "revoked"
  /** A refresh token that was used before. */
  | "spent"
  | "lifetime";

export class TokenError extends Error {
  override readonly name = "TokenError";
  readonly code: TokenErrorCode;
  readonly retryable = false;

  /** `message` must hold nothing of the token. */
  constructor(code: TokenErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What a caller may not do, in words that name what was asked. */
export class ForbiddenError extends Error {
  override readonly name = "ForbiddenError";
  readonly code = "forbidden";
  readonly retryable = false;
}

export type TokenRequestErrorCode =
  /** The request breaks a rule. */
  | "invalid"
  /** It asks for what is not set up on this server. */
  | "not-configured"
  /** It asks for what this server does not have. */
  | "unsupported"
  | "not-found"
  /** The name is taken. */
  | "already-exists"
  /** The caller has done so too often, or has too many of them. */
  | "limit";

/** A request that cannot be met as it stands. */
export class TokenRequestError extends Error {
  override readonly name = "TokenRequestError";
  readonly retryable = false;
  readonly code: TokenRequestErrorCode;

  constructor(code: TokenRequestErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
