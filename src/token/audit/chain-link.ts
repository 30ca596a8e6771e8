/** A place in the chain as one writes it down: `1734:` and the 64 hexadecimal digits of the hash. */
import type { ChainLink } from "./audit-event.ts";

export function formatLink({ sequence, hash }: ChainLink): string {
  return `${sequence}:${Buffer.from(hash).toString("hex")}`;
}

/** Undefined for text that formatLink does not write. */
export function parseLink(text: string): ChainLink | undefined {
  const [, sequence, hex] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (sequence === undefined || hex === undefined) return undefined;
  return { sequence: Number(sequence), hash: new Uint8Array(Buffer.from(hex, "hex")) };
}
