/**
 * Whether a token of an issuer is one to call an API with, and to call this one. An issuer signs tokens for other ends with
 * the same keys: to tell an app who logged in, to refresh, to log out (RFC 8725, section 2.8; RFC 9068, section 5).
 */
import type { Claims } from "../../jwt/verify-jwt.ts";
import { TokenError } from "../../token-error.ts";

export interface AudienceRule {
  /** What `aud` must be, or hold where it is an array, as Auth0's is. Absent: there must be none, as in Clerk's tokens. */
  readonly audience?: string;
  /**
   * The apps, or the origins of them, whose tokens are taken. Not empty: the token must say that it was made for one of
   * them, in `azp`, or in `client_id` (RFC 9068, section 2.2) where it has no `azp`. One of the two rules must be there.
   */
  readonly authorizedParties: readonly string[];
}

/** The header's `typ`, where there is one. RFC 9068, section 2.1, wants `at+jwt`; most issuers write `JWT`. */
export const accessTokenTypes = ["JWT", "at+jwt", "application/at+jwt"] as const;

/** Throws TokenError. */
export function checkAccessToken(claims: Claims, rule: AudienceRule): void {
  checkPurpose(claims);
  checkAudience(claims, rule);
}

/** Claims of ID tokens (OpenID Connect Core 1.0, sections 3.1.3.6 and 3.3.2.11) and of logout tokens (Back-Channel Logout 1.0). */
const othersClaims = ["at_hash", "c_hash", "s_hash", "events"];

function checkPurpose(claims: Claims): void {
  const refuse = (name: string) => new TokenError("claim", `${name} is another kind of token's`);
  for (const name of othersClaims) if (Object.hasOwn(claims, name)) throw refuse(name);
  const { typ, token_use: use, nonce, sts, cnf } = claims;
  // Keycloak's name for the kind of token: ID, Refresh, Offline, Logout and more.
  if (typ !== undefined && !isAccessTyp(typ)) throw refuse("typ");
  // Keycloak before 24 repeats the nonce of the ID token, in tokens that it says are for calling.
  if (nonce !== undefined && typ === undefined) throw refuse("nonce");
  // Amazon Cognito's name for the kind of token.
  if (use !== undefined && use !== "access") throw refuse("token_use");
  // Clerk: logged in, and something is still to be done, such as a second factor.
  if (sts === "pending") throw new TokenError("claim", "sts is pending");
  // RFC 7800: only who has the key may use it, which a bearer does not show.
  if (cnf !== undefined) throw new TokenError("claim", "cnf binds the token to a key");
}

function isAccessTyp(typ: unknown): boolean {
  return (
    typeof typ === "string" && ["bearer", "jwt", "at+jwt", "application/at+jwt"].includes(typ.toLowerCase())
  );
}

function checkAudience(claims: Claims, { audience, authorizedParties }: AudienceRule): void {
  const { aud, azp, client_id: clientId } = claims;
  const isForUs = audience === undefined ? aud === undefined : isOrHolds(aud, audience);
  if (!isForUs) throw new TokenError("audience", "the audience is another one");
  if (authorizedParties.length === 0) return;
  const party = azp === undefined ? clientId : azp;
  if (typeof party !== "string" || !authorizedParties.includes(party))
    throw new TokenError("audience", "the authorized party is another one");
}

function isOrHolds(aud: unknown, audience: string): boolean {
  if (!Array.isArray(aud)) return aud === audience;
  return aud.every((one) => typeof one === "string") && aud.includes(audience);
}
