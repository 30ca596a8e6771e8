/** A bar of text. `fraction` outside 0 to 1 is clipped. */
export function progressBar(fraction: number, columns = 28): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * columns);
  return `${"█".repeat(filled)}${"░".repeat(columns - filled)}`;
}
