/**
 * Lays out the text of a cue. Owns how long and how many lines are; never changes a word.
 */

/** Longest line, in characters; the usual measure of broadcast captions (Netflix, BBC 37 to 42). */
export const LINE_LENGTH = 42;

/**
 * One line when it fits, otherwise two, as even as the words allow, the first no longer than a line if that is possible.
 * Text that does not fit two lines is still put on two: see `fitsLines` before.
 */
export function wrapLines(text: string): string[] {
  if (text.length <= LINE_LENGTH) return [text];
  let best: string[] | undefined;
  for (let at = text.indexOf(" "); at !== -1; at = text.indexOf(" ", at + 1)) {
    const lines = [text.slice(0, at), text.slice(at + 1)];
    if (best === undefined || longest(lines) < longest(best)) best = lines;
  }
  return best ?? [text];
}

/** Whether a text with `labelLength` more characters before it fits two lines. */
export function fitsLines(text: string, labelLength = 0): boolean {
  const labelled = "x".repeat(labelLength) + text;
  return longest(wrapLines(labelled)) <= LINE_LENGTH;
}

function longest(lines: readonly string[]): number {
  return Math.max(...lines.map((line) => line.length));
}
