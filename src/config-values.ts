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

/** A name under which a web server is reached, with a port or without. */
export const hostName = z
  .string()
  .refine(
    (value) => URL.parse(`https://${value}`)?.host === value.toLowerCase(),
    "a host name, such as meet.example.com",
  );

/** `ISSUER`, or `ISSUER|JWKS-URL` where the issuer has no discovery document; several are separated by commas. */
export const oidcIssuers = list
  .refine((entries) => {
    const issuers = entries.map((entry) => entry.split("|")[0]);
    return entries.every(isOidcIssuer) && new Set(issuers).size === issuers.length;
  }, "URLs of issuers, each once, separated by commas; ISSUER|JWKS-URL where there is no discovery document")
  .transform((entries) =>
    entries.map((entry) => {
      const [issuer = "", jwksUrl] = entry.split("|").map((part) => part.trim());
      return { issuer, ...(jwksUrl !== undefined && { jwksUrl }) };
    }),
  );

/** OpenID Connect Core, section 2: an issuer is a URL without query and fragment. */
function isOidcIssuer(entry: string): boolean {
  const [issuer, jwksUrl, ...more] = entry.split("|").map((part) => URL.parse(part.trim()));
  const isWeb = (url: URL | null | undefined) =>
    /^https?:$/.test(url?.protocol ?? "") && url?.username === "";
  return (
    isWeb(issuer) &&
    !/[?#]/.test(entry.split("|")[0] ?? "") &&
    (jwksUrl === undefined || isWeb(jwksUrl)) &&
    more.length === 0
  );
}
