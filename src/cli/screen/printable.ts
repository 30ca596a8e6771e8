/** Text of others as one line that a terminal shows and does not obey: control characters become "?". */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "?");
}
