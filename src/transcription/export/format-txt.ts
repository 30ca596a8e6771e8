/**
 * Plain text: one segment a line, "Speaker 2: " before it when there are several channels. Never wraps.
 */
import type { ExportSegment } from "./export-segment.ts";
import { speakerNames } from "./speaker-name.ts";

export function formatTxt(segments: readonly ExportSegment[]): string {
  const nameOf = speakerNames(segments);
  return segments
    .map((segment) => ({ ...segment, text: segment.text.trim().replaceAll(/\s+/g, " ") }))
    .filter((segment) => segment.text !== "")
    .map((segment) => (nameOf ? `${nameOf(segment.channel)}: ${segment.text}\n` : `${segment.text}\n`))
    .join("");
}
