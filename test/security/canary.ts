/** A text that stands in every token and every secret phrase of these tests, and must stand nowhere else. */

export const canary = "Canary.5b0c91d7e2f4";

/** The canary in all the forms in which bytes that hold it can be written out: as text, base64 at each offset, hex. */
const forms: readonly string[] = [
  canary,
  ...[0, 1, 2].map((offset) => {
    const text = Buffer.from(`${"\0".repeat(offset)}${canary}`).toString("base64url");
    // What mixes with the bytes before and after is cut away.
    return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + canary.length) * 8) / 6));
  }),
  Buffer.from(canary).toString("hex"),
];

/** The lines that hold it, for a test to expect none. */
export function linesWithCanary(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => forms.some((form) => line.includes(form)));
}
