/** What is wrong with a room name before the server is asked, by the rule of CreateRoomRequest; undefined: nothing. */

const maxLength = 128;

export function roomNameProblem(name: string): string | undefined {
  const trimmed = name.trim();
  if (trimmed === "") return "Give the room a name.";
  if (Array.from(trimmed).length > maxLength) return `Use at most ${maxLength} characters.`;
  if (/[\p{C}*]/u.test(trimmed)) return "Leave out * and control characters.";
  return undefined;
}
