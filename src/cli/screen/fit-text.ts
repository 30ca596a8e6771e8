/** Text on lines of a given width. Counts characters as one column each, which holds for the languages spoken here. */

/** Undefined where nothing can be redrawn: not a terminal, or one that does not know its size and says 0. */
export function columnsOf(output: NodeJS.WriteStream): number | undefined {
  return output.isTTY && output.columns > 0 ? output.columns : undefined;
}

/** Every line wrapped, its rest indented below its text. Undefined `columns`: left as it is. */
export function wrapLines(text: string, columns: number | undefined): string {
  if (columns === undefined) return text;
  return text
    .split("\n")
    .map((line) => wrapText(line, columns, " ".repeat(textColumn(line))))
    .join("\n");
}

/** Behind the indentation and what a table or a list puts first: "  pace        54  You speak" → 18. */
function textColumn(line: string): number {
  return /^\s+(\S+\s{2,}|\d+\. |)(\S+\s{2,}|)/.exec(line)?.[0].length ?? 0;
}

/** Breaks between words; `indent` goes before every line but the first. A word longer than a line is left whole. */
export function wrapText(text: string, columns: number, indent = ""): string {
  const lines: string[] = [];
  // Leading blanks belong to the first word: they are its indentation.
  for (const word of text.match(/^\s*\S+|\s+\S+/g) ?? []) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length <= columns) lines[lines.length - 1] = last + word;
    else lines.push(last === undefined ? word : indent + word.trimStart());
  }
  return lines.join("\n");
}

/** The end of a text that is too long for one line, from a word on where possible. */
export function tailOf(text: string, columns: number): string {
  if (text.length <= columns) return text;
  if (columns < 2) return "";
  const start = text.length - columns + 1;
  const nextBlank = text.indexOf(" ", start - 1); // of the blank before the tail, too: then its first word is whole
  return `…${text.slice(nextBlank === -1 ? start : nextBlank + 1)}`;
}
