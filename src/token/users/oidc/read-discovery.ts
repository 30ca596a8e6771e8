/** The discovery document of an issuer: where it is, and where it says that the keys are (OpenID Connect Discovery 1.0). */
import { IssuerError } from "./issuer-error.ts";

export const discoveryName = "its discovery document";

/** Section 4: a slash at the end of the issuer does not count. */
export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}

/**
 * The address of the keys. Throws IssuerError when the document is another issuer's, which section 4.3 wants compared
 * character by character, or when the keys of an https issuer would come over http.
 */
export function readDiscovery(document: unknown, issuer: string): string {
  const { issuer: named, jwks_uri: jwksUrl } = asObject(document);
  if (named !== issuer) throw new IssuerError(`${discoveryName} names another issuer`);
  const scheme = typeof jwksUrl === "string" ? URL.parse(jwksUrl)?.protocol : undefined;
  if (typeof jwksUrl !== "string" || !/^https?:$/.test(scheme ?? ""))
    throw new IssuerError(`${discoveryName} has no jwks_uri that is a web address`);
  if (scheme === "http:" && URL.parse(issuer)?.protocol === "https:")
    throw new IssuerError(`${discoveryName} has a jwks_uri without https`);
  return jwksUrl;
}

function asObject(document: unknown): Readonly<Record<string, unknown>> {
  if (typeof document !== "object" || document === null) throw new IssuerError(`${discoveryName} is none`);
  return document as Readonly<Record<string, unknown>>;
}
