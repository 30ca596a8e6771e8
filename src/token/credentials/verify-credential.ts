/**
 * Turns what a caller sent as `authorization: Bearer ...` into who they are: an API key, a user token or a transcription
 * token. Whatever else it is, it is refused.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { matchesApiKey, parseApiKey } from "../api-keys/api-key.ts";
import type { ApiKeyStore } from "../api-keys/api-key-store.ts";
import type { Caller, ParticipantCaller, ServiceCaller, UserCaller } from "../caller.ts";
import { maxLifetimeSeconds } from "../keys/jwt-settings.ts";
import { keyRing } from "../keys/key-ring.ts";
import type { JwtSettings } from "../keys/jwt-settings.ts";
import { checkTimes, peekHeader, readSigned } from "../jwt/verify-jwt.ts";
import type { Revocations } from "../revocation/revocations.ts";
import { TokenError } from "../token-error.ts";
import { readTranscriptionClaims } from "../targets/transcription/issue-token.ts";
import { readUserClaims, userTokenAudience } from "../users/user-token.ts";

export interface CredentialSettings {
  readonly jwt: JwtSettings;
  readonly apiKeys: Pick<ApiKeyStore, "get">;
  readonly revocations: Pick<Revocations, "check">;
  /** A key from the configuration, with scope `analysis`. */
  readonly fixedAnalysisKey?: string;
  /** Logins of other issuers. Absent: none are taken. */
  readonly oidc?: { readonly verify: (token: string, nowMs: number) => Promise<UserCaller> };
  /** Is told of each user whose login was verified. */
  readonly onUser?: (user: UserCaller) => void;
}

/** Throws TokenError for a credential that is no good; rejects otherwise when the database cannot be asked. */
export async function verifyCredential(
  credential: string,
  settings: CredentialSettings,
  nowMs: number,
): Promise<Caller> {
  if (settings.fixedAnalysisKey !== undefined && isSameSecret(credential, settings.fixedAnalysisKey)) {
    return { kind: "service", apiKeyId: "TRANSCRIPTION_SERVICE_API_KEY", scopes: new Set(["analysis"]) };
  }
  if (credential.startsWith("pk_")) return verifyApiKey(credential, settings, nowMs);
  const caller =
    settings.oidc && !isOwnToken(credential, settings.jwt)
      ? await settings.oidc.verify(credential, nowMs)
      : settings.revocations.check(verifyOwnToken(credential, settings.jwt, nowMs));
  if (caller.kind === "user") settings.onUser?.(caller);
  return caller;
}

/** Whether a token can only be Parley's own: signed with a shared secret, or with one of its own keys. Throws TokenError. */
export function isOwnToken(token: string, settings: JwtSettings): boolean {
  const { alg, kid } = peekHeader(token);
  return alg === "HS256" || (settings.eddsa?.verification.some((key) => key.kid === kid) ?? false);
}

/** A user or transcription token of Parley's own, which may have been revoked. Throws TokenError. */
export function verifyOwnToken(
  token: string,
  settings: JwtSettings,
  nowMs: number,
): UserCaller | ParticipantCaller {
  const { claims, key } = readSigned(token, { keys: keyRing(settings).participant });
  checkTimes(claims, { nowMs, maxLifetimeSeconds });
  if (claims["iss"] !== settings.issuer) throw new TokenError("issuer", "the issuer is another one");
  switch (claims["aud"]) {
    case settings.audience:
      return readTranscriptionClaims(claims);
    case userTokenAudience:
      if (key.alg !== "HS256") throw new TokenError("algorithm", "a login is signed with the shared secret");
      return readUserClaims(claims);
    default:
      throw new TokenError("audience", "the audience is another one");
  }
}

async function verifyApiKey(
  text: string,
  settings: CredentialSettings,
  nowMs: number,
): Promise<ServiceCaller> {
  const parsed = parseApiKey(text);
  if (!parsed) throw new TokenError("malformed", "not a whole API key");
  const stored = await settings.apiKeys.get(parsed.apiKeyId);
  if (!stored || !matchesApiKey(parsed.secret, stored, nowMs)) {
    throw new TokenError("signature", "no such API key, or it is expired or revoked");
  }
  const { apiKeyId, expireTime } = stored;
  return {
    kind: "service",
    apiKeyId,
    scopes: new Set(stored.scopes),
    ...(expireTime !== undefined && { expireTime }),
  };
}

/** In constant time for any two texts. */
function isSameSecret(one: string, other: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}
