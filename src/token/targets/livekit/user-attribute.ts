/**
 * Names of participant attributes on LiveKit that are not an app's own. Parley writes one, which names the user where that is
 * not the identity, so that a user's participants are found by it; `lk.` is LiveKit's own.
 */

/** Whose participant it is. Absent: the user whom the identity names. */
export const userIdAttribute = "parley.user_id";

export function isReservedAttribute(name: string): boolean {
  return name.startsWith("parley.") || name.startsWith("lk.");
}
