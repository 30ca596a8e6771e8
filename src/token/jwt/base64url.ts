/** Base64url without padding, in its one canonical form (RFC 7515, section 2; RFC 4648, section 3.5). */

/** Undefined for anything that is not the canonical encoding of some bytes. */
export function decodeBase64url(text: string): Buffer | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}
