/** Writes compact JWTs signed with HS256 (RFC 7515, RFC 7518 section 3.2). Knows no claim by name. */
import { createHmac } from "node:crypto";

const header = Buffer.from(JSON.stringify({ alg: "HS256", typ: "JWT" })).toString("base64url");

export function signJwt(claims: Readonly<Record<string, unknown>>, secret: string): string {
  const input = `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}
