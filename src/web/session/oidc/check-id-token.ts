/**
 * What an ID token has to say before a sign-in counts (OpenID Connect Core, section 3.1.3.7). Its signature is not checked: it
 * came from the token endpoint itself, over a connection that proves whose it is, and the server trusts no ID token.
 */
import { decodeClaims } from "../read-claims.ts";
import { SignInError } from "../sign-in-error.ts";

export interface Expected {
  readonly issuer: string;
  readonly clientId: string;
  readonly nonce: string;
  readonly nowMs: number;
}

/** How far clocks may differ, in milliseconds. */
const skewMs = 5 * 60_000;

/** Throws SignInError `provider`. */
export function checkIdToken(idToken: string | undefined, expected: Expected): void {
  const claims = idToken === undefined ? undefined : decodeClaims(idToken);
  const audiences = [claims?.["aud"]].flat();
  const party = claims?.["azp"];
  const exp = claims?.["exp"];
  const isGood =
    claims !== undefined &&
    claims["iss"] === expected.issuer &&
    audiences.includes(expected.clientId) &&
    (party === undefined ? audiences.length === 1 : party === expected.clientId) &&
    claims["nonce"] === expected.nonce &&
    typeof exp === "number" &&
    exp * 1000 > expected.nowMs - skewMs;
  if (!isGood)
    throw new SignInError("provider", "The sign-in provider's answer is not for this sign-in. Begin again.");
}
