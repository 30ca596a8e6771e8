/**
 * Ids of Parley's own tokens (`jti`): UUIDs of version 7, which hold the millisecond in which they were made. `iat` has
 * only the second, too coarse to tell a token made just before a revocation from one made just after it.
 */
import { randomBytes } from "node:crypto";

/** RFC 9562, section 5.7. */
export function makeTokenId(nowMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** When it was made, in milliseconds since the epoch; undefined for an id of any other kind. */
export function readTokenIdTime(tokenId: string): number | undefined {
  const [, high, low] =
    /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.exec(tokenId) ?? [];
  return high === undefined || low === undefined ? undefined : Number.parseInt(high + low, 16);
}
