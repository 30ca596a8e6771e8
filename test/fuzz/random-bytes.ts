/** Bytes for the fuzz target, without a fuzzer that knows what they do. */
import type { Random } from "../chaos/random.ts";

export function randomBytesOf(random: Random): Uint8Array {
  const length = Math.floor(random.between(4, 60));
  return Uint8Array.from({ length }, () => Math.floor(random.between(0, 256)));
}
