/**
 * A session's transcript as the text of a file. Owns the choice of format; never reads storage and knows no speaker but
 * the channel's number.
 */
import type { ExportSegment } from "./export-segment.ts";
import { formatSrt } from "./format-srt.ts";
import { formatTxt } from "./format-txt.ts";
import { formatVtt } from "./format-vtt.ts";

export type { ExportSegment, ExportWord } from "./export-segment.ts";

export type ExportFormat = "vtt" | "srt" | "txt";

/** Media type of each format, for a file or an HTTP answer. SubRip has no registered one. */
export const EXPORT_MEDIA_TYPES: Readonly<Record<ExportFormat, string>> = {
  vtt: "text/vtt; charset=utf-8",
  srt: "application/x-subrip; charset=utf-8",
  txt: "text/plain; charset=utf-8",
};

/**
 * Writes segments, given in any order, as one file. Captions (`vtt`, `srt`) come in readable cues that never overlap; `txt`
 * has one segment a line. A session without words gives a valid empty file: "WEBVTT" for `vtt`, nothing for the others.
 */
export function exportTranscript(format: ExportFormat, segments: readonly ExportSegment[]): string {
  const ordered = segments.toSorted((a, b) => a.startMs - b.startMs || a.channel - b.channel);
  switch (format) {
    case "vtt":
      return formatVtt(ordered);
    case "srt":
      return formatSrt(ordered);
    case "txt":
      return formatTxt(ordered);
  }
}
