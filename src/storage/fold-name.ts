/** The form that names have in common which differ only in case or in how Unicode writes them (NFKC). Stored: never change it. */
export function foldName(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}
