/**
 * SubRip. Owns its shape and what it cannot say; never decides where a cue breaks. There is no standard: written as most
 * players read it, UTF-8, LF, one empty line between cues.
 */
import type { ExportSegment } from "./export-segment.ts";
import { formatTimestamp } from "./format-timestamp.ts";
import { speakerNames } from "./speaker-name.ts";
import { splitCues } from "./split-cues.ts";
import { wrapLines } from "./wrap-lines.ts";

/** One block a cue, numbered from 1; "Speaker 2: " before its text when there are several channels. */
export function formatSrt(segments: readonly ExportSegment[]): string {
  const nameOf = speakerNames(segments);
  const label = (channel: number) => (nameOf ? `${nameOf(channel)}: ` : "");
  return splitCues(segments, (channel) => label(channel).length)
    .map((cue, index) => {
      const times = `${formatTimestamp(cue.startMs, ",")} --> ${formatTimestamp(cue.endMs, ",")}`;
      const lines = wrapLines(label(cue.channel) + withoutMarkup(cue.text));
      return `${index === 0 ? "" : "\n"}${index + 1}\n${times}\n${lines.join("\n")}\n`;
    })
    .join("");
}

/**
 * SubRip has no escapes, and players take `<b>` as markup and "-->" as a time line. Look-alikes of the same length keep
 * the words readable: ‹ for a "<" that could open a tag, and --› for "-->".
 */
function withoutMarkup(text: string): string {
  return text.replaceAll(/<(?=[/a-z])/gi, "‹").replaceAll("-->", "--›");
}
