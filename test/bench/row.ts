/** One line of what a bench prints: what was measured, what came out, and what it should be at most. */
export function row(what: string, measured: string, bar?: string): void {
  console.log(`${what.padEnd(50)} ${measured}${bar === undefined ? "" : `   (bar: ${bar})`}`);
}
