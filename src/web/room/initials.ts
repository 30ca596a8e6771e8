/** The letters that stand for somebody: of the first and the last part of the name. */

/** `Ada Lovelace` and `ada.m.lovelace` give `AL`, `ada` gives `A`; a name without letters and digits gives none. */
export function initials(identity: string): string {
  const parts = identity.split(/[^\p{L}\p{N}]+/u).filter((part) => part !== "");
  const ends = parts.length > 1 ? [parts[0], parts.at(-1)] : parts;
  return ends
    .map((part) => Array.from(part ?? "")[0])
    .join("")
    .toUpperCase();
}
