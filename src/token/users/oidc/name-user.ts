/** Under which id a user of an issuer is known here. */
import type { Claims } from "../../jwt/verify-jwt.ts";
import { isName, readName } from "../../read-name.ts";
import { TokenError } from "../../token-error.ts";

const prefix = "oidc:";

/** The issuer within user ids: without scheme and final slash. A colon, of a port, is `%3A`, so that one ends the name. */
export function issuerName(issuer: string): string {
  return issuer
    .replace(/^https?:\/\//i, "")
    .replace(/\/$/, "")
    .replaceAll(":", "%3A");
}

/**
 * Users of the first issuer are known by their `sub`, as those of the shared secret are, so that an app may go from one to
 * the other; those of further issuers as `oidc:<issuer>:<sub>`, so that nobody is taken for another issuer's user of the
 * same `sub`. To put another issuer first changes who everybody is. Throws TokenError.
 */
export function nameUser(
  claims: Claims,
  issuer: { readonly isFirst: boolean; readonly name: string },
): string {
  const subject = readName(claims, "sub");
  if (issuer.isFirst) {
    if (subject.startsWith(prefix)) throw new TokenError("claim", "sub looks like another issuer's user");
    return subject;
  }
  const userId = `${prefix}${issuer.name}:${subject}`;
  if (!isName(userId)) throw new TokenError("claim", "sub is too long");
  return userId;
}
