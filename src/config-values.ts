/** What single variables of the environment may hold, each with the words that say what was expected. */
import { z } from "zod";

export const secret = (minBytes: number) =>
  z
    .string()
    .refine((value) => Buffer.byteLength(value) >= minBytes, `a secret of at least ${minBytes} bytes`);
/** A secret that is sent as a bearer credential, where some characters cannot be. */
export const bearerSecret = (minBytes: number) =>
  secret(minBytes).refine(
    (value) => /^[\x21-\x2b\x2d-\x7e]*$/.test(value),
    "ASCII characters without spaces and commas",
  );
export const url = (...schemes: string[]) =>
  z.string().refine(
    (value) => {
      const begin = value.toLowerCase();
      return URL.canParse(value) && schemes.some((scheme) => begin.startsWith(`${scheme}://`));
    },
    `a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`,
  );
export const integer = (min: number, max: number) =>
  z
    .string()
    .refine(
      (value) => /^\d{1,9}$/.test(value) && Number(value) >= min && Number(value) <= max,
      `a whole number from ${min} to ${max}`,
    )
    .transform(Number);
export const list = z.string().transform((value) =>
  value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== ""),
);
export const oneOf = <const T extends string>(...values: T[]) =>
  z.enum(values, { error: `one of ${values.join(", ")}` });

export function isOrigin(value: string): boolean {
  return value === "*" || (URL.parse(value)?.origin === value && /^https?:/.test(value));
}
