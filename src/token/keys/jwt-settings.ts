/** How Parley's own tokens are signed. */
export interface JwtSettings {
  readonly secret: string;
  /** Still verifies; never signs. */
  readonly previousSecret?: string;
  readonly issuer: string;
  /** Audience of transcription tokens. */
  readonly audience: string;
  /** Lifetime of transcription tokens, in seconds. */
  readonly expirySeconds: number;
}

/** Longest lifetime of any token that is made or accepted, in seconds. */
export const maxLifetimeSeconds = 24 * 3600;
