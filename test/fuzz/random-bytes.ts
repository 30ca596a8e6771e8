/** Bytes for the fuzz target, where no fuzzer that sees what they do chooses them. */
import type { Random } from "../chaos/random.ts";

export function randomBytesOf(random: Random): Uint8Array {
  const length = Math.floor(random.between(4, 120));
  return Uint8Array.from({ length }, () => Math.floor(random.between(0, 256)));
}
