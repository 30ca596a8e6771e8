/** How Parley's own tokens are signed. */
import type { SigningKey, VerificationKey } from "../jwt/jwt-key.ts";

export interface JwtSettings {
  /** Of users' logins, refresh tokens and, without `eddsa`, transcription tokens: HS256. */
  readonly secret: string;
  /** Still verifies; never signs. */
  readonly previousSecret?: string;
  /** Absent: transcription tokens are signed with the secret. */
  readonly eddsa?: EdDsaKeys;
  readonly issuer: string;
  /** Audience of transcription tokens. */
  readonly audience: string;
  /** Lifetime of transcription tokens, in seconds. */
  readonly expirySeconds: number;
}

/** Keys for transcription tokens that others can verify and not make. */
export interface EdDsaKeys {
  readonly signing: SigningKey;
  /** The signing key's own, and those that others sign with: the next one and the previous one. */
  readonly verification: readonly VerificationKey[];
  /** What /.well-known/jwks.json says of all of them (RFC 7517). */
  readonly published: readonly Readonly<Record<string, string>>[];
}

/** Longest lifetime of any token that is made or accepted, in seconds. */
export const maxLifetimeSeconds = 24 * 3600;
