/** Writes compact JWTs (RFC 7515, section 7.1). Knows no claim by name. */
import type { SigningKey } from "./jwt-key.ts";

export function signJwt(claims: Readonly<Record<string, unknown>>, key: SigningKey): string {
  const input = `${key.header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
  return `${input}.${key.sign(input)}`;
}
