/**
 * How golang-jwt v5 reads claims into a Go struct, for the judges of servers that use it, LiveKit and the SFU: a member of
 * another type fails the whole token, null is as good as absent, and a time may also be a number in a string.
 */
import type { Claims } from "../jwt/verify-jwt.ts";
import { TokenError } from "../token-error.ts";
import { expired, notYetValid } from "./time-refusals.ts";

export type GoType = "text" | "flag" | "texts" | "text map" | "object" | "time" | "audience";

export type GoStruct = Readonly<Record<string, GoType>>;

/** jwt.RegisteredClaims. */
const registeredClaims: GoStruct = {
  iss: "text",
  sub: "text",
  jti: "text",
  aud: "audience",
  exp: "time",
  nbf: "time",
  iat: "time",
};

export interface GoTimeRules {
  /** For `detail`: who looks at the times. */
  readonly server: string;
  readonly leewaySeconds: number;
  readonly requiresExp: boolean;
}

/** Throws TokenError `claim` for a registered claim, or one of `more`, that does not fit into its field. */
export function checkGoClaims(claims: Claims, more: GoStruct): void {
  checkGoStruct(claims, { ...registeredClaims, ...more }, "");
}

/** `path` goes before the names, such as "video.". Throws TokenError `claim`. */
export function checkGoStruct(value: Claims, struct: GoStruct, path: string): void {
  for (const [name, type] of Object.entries(struct)) {
    const member = memberOf(value, name);
    if (member !== undefined && !fits[type](member)) {
      throw new TokenError("claim", `${path}${name} is not what it should be: ${described[type]}`);
    }
  }
}

/** Registered claims have been checked. `iat` is not looked at. Throws TokenError. */
export function checkGoTimes(claims: Claims, rules: GoTimeRules, nowMs: number): void {
  const { server, leewaySeconds, requiresExp } = rules;
  const leeway = `${server} allows ${leewaySeconds === 0 ? "no leeway" : `${leewaySeconds} s`}`;
  const exp = timeOf(claims, "exp");
  const nbf = timeOf(claims, "nbf");
  if (exp === undefined && requiresExp) throw new TokenError("claim", `exp is absent; ${server} requires it`);
  if (exp !== undefined && nowMs >= (exp + leewaySeconds) * 1000) throw expired(exp, nowMs, leeway);
  if (nbf !== undefined && nowMs < (nbf - leewaySeconds) * 1000) throw notYetValid("nbf", nbf, nowMs, leeway);
}

/** Fractions of a second are cut off. */
function timeOf(claims: Claims, name: "exp" | "nbf"): number | undefined {
  const value = memberOf(claims, name);
  return value === undefined ? undefined : Math.floor(Number(value));
}

/** The member, unless it is absent or null. */
export function memberOf(value: Claims, name: string): unknown {
  return Object.hasOwn(value, name) ? (value[name] ?? undefined) : undefined;
}

/** Empty when it is absent; registered claims have been checked. */
export function textOf(value: Claims, name: string): string {
  const text = memberOf(value, name);
  return typeof text === "string" ? text : "";
}

const isText = (value: unknown) => typeof value === "string";
const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
/** In Go null leaves an item empty. */
const isTextOrNull = (value: unknown) => value === null || isText(value);

const fits: Readonly<Record<GoType, (value: unknown) => boolean>> = {
  text: isText,
  flag: (value) => typeof value === "boolean",
  texts: (value) => Array.isArray(value) && value.every(isTextOrNull),
  "text map": (value) => isObject(value) && Object.values(value as object).every(isTextOrNull),
  object: isObject,
  time: isTime,
  audience: (value) => isText(value) || (Array.isArray(value) && value.every(isText)),
};

const described: Readonly<Record<GoType, string>> = {
  text: "a string",
  flag: "true or false",
  texts: "a list of strings",
  "text map": "an object of strings",
  object: "an object",
  time: "a number of seconds since 1970",
  audience: "a string or a list of strings",
};

/** What Go's time has room for; beyond, it wraps around. In seconds. */
const maxTime = 2 ** 60;

function isTime(value: unknown): boolean {
  const isNumber =
    typeof value === "number" ||
    (typeof value === "string" && /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(value));
  return isNumber && Math.abs(Number(value)) < maxTime;
}
