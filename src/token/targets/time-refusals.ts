/** Refusals of a token for its times, with figures. Times are in seconds since the epoch; `leeway` says what is allowed, in words. */
import { TokenError } from "../token-error.ts";

export function expired(exp: number, nowMs: number, leeway: string): TokenError {
  return new TokenError("expired", `exp passed ${inWords(nowMs / 1000 - exp)} ago; ${leeway}`);
}

export function notYetValid(name: "nbf" | "iat", time: number, nowMs: number, leeway: string): TokenError {
  return new TokenError("not-yet-valid", `${name} lies ${inWords(time - nowMs / 1000)} ahead; ${leeway}`);
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** A duration to its leading figure or two: "40 s", "5 min", "30 h", "12 days". */
export function inWords(seconds: number): string {
  if (seconds < 1) return "less than 1 s";
  if (seconds < 2 * minute) return `${Math.floor(seconds)} s`;
  if (seconds < 2 * hour) return `${Math.floor(seconds / minute)} min`;
  if (seconds < 2 * day) return `${Math.floor(seconds / hour)} h`;
  return `${Math.floor(seconds / day)} days`;
}
