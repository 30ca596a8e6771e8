/** Gives the person at the page a text as a file, through the browser's own downloads. */
export function saveFile(name: string, content: string, contentType: string): void {
  const url = URL.createObjectURL(new Blob([content], { type: contentType }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun with the click, and holds what it needs.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
