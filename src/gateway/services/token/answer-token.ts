/** What answers say of the tokens in them. */
import type { HandlerContext } from "@connectrpc/connect";
import type { IssuedToken } from "../../../token/targets/transcription/issue-token.ts";

/** Whole seconds until the first of them expires, which one must not be late for. */
export function secondsUntilFirst(tokens: readonly (IssuedToken | undefined)[], nowMs: number): number {
  const times = tokens.filter((token) => token !== undefined).map((token) => token.expireTime.getTime());
  return Math.max(0, Math.floor((Math.min(...times) - nowMs) / 1000));
}

/** Scheme and authority under which the caller reached this server. */
export function originOf(context: HandlerContext): string {
  return new URL(context.url).origin;
}
