/**
 * A segment's words with times that can be relied on. Never reorders what was said.
 */
import type { ExportSegment, ExportWord } from "./export-segment.ts";

/**
 * The segment's words in order of their start, without surrounding white space; a word that would end before it starts
 * ends with its start. Without words, the text's tokens share the segment's time in proportion to their length.
 */
export function timeWords(segment: ExportSegment): ExportWord[] {
  const words = segment.words
    .map((word) => ({ ...word, text: word.text.trim().replaceAll(/\s+/g, " ") }))
    .filter((word) => word.text !== "")
    .map((word) => ({ ...word, endMs: Math.max(word.startMs, word.endMs) }));
  if (words.length > 0) return words.sort((a, b) => a.startMs - b.startMs);
  const tokens = segment.text.split(/\s+/).filter((token) => token !== "");
  const characters = tokens.reduce((sum, token) => sum + token.length, 0);
  const msPerCharacter = Math.max(0, segment.endMs - segment.startMs) / Math.max(1, characters);
  let before = 0;
  return tokens.map((text) => {
    const startMs = Math.round(segment.startMs + before * msPerCharacter);
    before += text.length;
    return { text, startMs, endMs: Math.round(segment.startMs + before * msPerCharacter) };
  });
}
