/** Reads a claim that names somebody or something. */
import type { Claims } from "./jwt/verify-jwt.ts";
import { TokenError } from "./token-error.ts";

const maxNameLength = 256;

/** A string of 1 to 256 characters without control characters. Throws TokenError. */
export function readName(claims: Claims, name: string): string {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (typeof value !== "string" || !isName(value)) throw new TokenError("claim", `${name} is not a name`);
  return value;
}

/** Whether a token that names somebody or something so will be read again. */
export function isName(value: string): boolean {
  // Counted in code points, as the rules of requests count.
  return (
    value !== "" &&
    value !== "__proto__" &&
    !/\p{C}/u.test(value) &&
    Array.from(value).length <= maxNameLength
  );
}
