/** Reads a claim that names somebody or something. */
import type { Claims } from "./jwt/verify-jwt.ts";
import { TokenError } from "./token-error.ts";

const maxNameLength = 256;

/** A string of 1 to 256 characters without control characters. Throws TokenError. */
export function readName(claims: Claims, name: string): string {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (
    typeof value !== "string" ||
    value === "" ||
    value.length > maxNameLength ||
    /\p{C}/u.test(value) ||
    value === "__proto__"
  ) {
    throw new TokenError("claim", `${name} is not a name`);
  }
  return value;
}
