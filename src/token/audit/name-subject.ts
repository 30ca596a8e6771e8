/**
 * Subjects of events: `room_name=talk participant_identity="Ada L."`. Names are those of the proto's fields; a value is written
 * as JSON writes it unless it is a plain word, so that no name which somebody chose can pass for another part.
 */

/** Of a value, in UTF-16 code units: no more fits into a subject. */
const maxLength = 1024;

export type SubjectParts = Readonly<Record<string, string | readonly string[] | number | undefined>>;

/** Leaves out what is empty, absent or zero. The members of a list are joined by commas. */
export function nameSubject(parts: SubjectParts): string {
  return Object.entries(parts)
    .map(([name, value]) => [name, typeof value === "object" ? value.join(",") : (value ?? "")] as const)
    .filter(([, value]) => value !== "" && value !== 0)
    .map(([name, value]) => `${name}=${quoteUnlessPlain(String(value).slice(0, maxLength))}`)
    .join(" ");
}

function quoteUnlessPlain(value: string): string {
  return /^[\p{L}\p{N}_.,:@+/-]+$/u.test(value) ? value : JSON.stringify(value);
}
