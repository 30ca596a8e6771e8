/**
 * WebVTT (https://www.w3.org/TR/webvtt1/). Owns the grammar and its escapes; never decides where a cue breaks.
 */
import type { ExportSegment } from "./export-segment.ts";
import { formatTimestamp } from "./format-timestamp.ts";
import { speakerNames } from "./speaker-name.ts";
import { splitCues } from "./split-cues.ts";
import { wrapLines } from "./wrap-lines.ts";

/**
 * One block a cue, numbered from 1. With several channels each cue is a voice span, `<v Speaker 1>`, which needs no end
 * tag when it spans the whole cue.
 */
export function formatVtt(segments: readonly ExportSegment[]): string {
  const nameOf = speakerNames(segments);
  const blocks = splitCues(segments).map((cue, index) => {
    const times = `${formatTimestamp(cue.startMs, ".")} --> ${formatTimestamp(cue.endMs, ".")}`;
    const voice = nameOf ? `<v ${nameOf(cue.channel)}>` : "";
    return `\n${index + 1}\n${times}\n${voice}${escapeCueText(wrapLines(cue.text).join("\n"))}\n`;
  });
  return `WEBVTT\n${blocks.join("")}`;
}

/** `&` and `<` must be escaped in cue text; `>` too, so that "-->" cannot occur. */
function escapeCueText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
