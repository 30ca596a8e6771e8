/**
 * Ids of Parley's own tokens (`jti`): UUIDs of version 7, which hold the millisecond in which they were made. `iat` has
 * only the second, too coarse to tell a token made just before a revocation from one made just after it.
 */
import { randomUUID } from "node:crypto";

/** RFC 9562, section 5.7. */
export function makeTokenId(nowMs: number): string {
  const time = Math.floor(nowMs).toString(16).padStart(12, "0");
  // A random UUID has its version in the same place, and the same random bits after it.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/** When it was made, in milliseconds since the epoch; undefined for an id of any other kind. */
export function readTokenIdTime(tokenId: string): number | undefined {
  const [, high, low] =
    /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.exec(tokenId) ?? [];
  return high === undefined || low === undefined ? undefined : Number.parseInt(high + low, 16);
}
