/** The discovery document of an issuer: where it is, and what it says of keys and endpoints (OpenID Connect Discovery 1.0). */
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
  const { jwks_uri: jwksUrl } = asDiscovery(document, issuer);
  const scheme = typeof jwksUrl === "string" ? URL.parse(jwksUrl)?.protocol : undefined;
  if (typeof jwksUrl !== "string" || !/^https?:$/.test(scheme ?? ""))
    throw new IssuerError(`${discoveryName} has no jwks_uri that is a web address`);
  if (scheme === "http:" && URL.parse(issuer)?.protocol === "https:")
    throw new IssuerError(`${discoveryName} has a jwks_uri without https`);
  return jwksUrl;
}

/** URLs also take hosts with `*` and `;` in them, which a Content-Security-Policy reads as something else. */
const plainHost = /^[\w.:[\]-]+$/;

/**
 * Origins of the endpoints that a public client asks from its page. Throws IssuerError when the document is another issuer's;
 * what is no plain web address, or http where the issuer is https, is passed over.
 */
export function readEndpointOrigins(document: unknown, issuer: string): readonly string[] {
  const { token_endpoint: token, revocation_endpoint: revocation } = asDiscovery(document, issuer);
  const schemes = URL.parse(issuer)?.protocol === "https:" ? ["https:"] : ["https:", "http:"];
  return [token, revocation].flatMap((endpoint) => {
    const url = typeof endpoint === "string" ? URL.parse(endpoint) : null;
    return url && schemes.includes(url.protocol) && plainHost.test(url.host) ? [url.origin] : [];
  });
}

function asDiscovery(document: unknown, issuer: string): Readonly<Record<string, unknown>> {
  if (typeof document !== "object" || document === null) throw new IssuerError(`${discoveryName} is none`);
  const members = document as Readonly<Record<string, unknown>>;
  if (members["issuer"] !== issuer) throw new IssuerError(`${discoveryName} names another issuer`);
  return members;
}
