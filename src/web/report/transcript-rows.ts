/** A session's words as the paragraphs of its transcript, and which of them a span of time or an evidence means. Pure. */
import type { SessionSummary, Word } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { LONG_PAUSE_MS, SHORTEST_PAUSE_MS } from "../../delivery/find-pauses.ts";
import type { RowWord } from "../record/spoken-row.ts";

export interface TranscriptRow {
  /** Index of its first word among the session's. */
  readonly firstWord: number;
  readonly startMs: number;
  readonly words: readonly RowWord[];
}

/** Words by their indexes, both inclusive. */
export interface WordRange {
  readonly firstWord: number;
  readonly lastWord: number;
}

/** A paragraph ends with the sentence after so many words, with a long pause, or for want of either after so many. */
const enoughWords = 14;
const mostWords = 60;

export function readTranscript({
  words,
  fillers,
}: Pick<SessionSummary, "words" | "fillers">): TranscriptRow[] {
  const fillerWords = new Set(
    fillers?.uses.flatMap(({ firstWordIndex, lastWordIndex }) =>
      Array.from({ length: lastWordIndex - firstWordIndex + 1 }, (_, index) => firstWordIndex + index),
    ),
  );
  const rows: { firstWord: number; startMs: number; words: RowWord[] }[] = [];
  let previous: Word | undefined;
  for (const [index, word] of words.entries()) {
    const silenceMs = previous ? word.startMs - previous.endMs : 0;
    let row = rows.at(-1);
    if (!row || isOver(row.words, silenceMs)) {
      row = { firstWord: index, startMs: word.startMs, words: [] };
      rows.push(row);
    }
    const { text, startMs, endMs } = word;
    const pauseMs = silenceMs >= SHORTEST_PAUSE_MS ? silenceMs : undefined;
    row.words.push({ text, startMs, endMs, isFiller: fillerWords.has(index), pauseMs });
    previous = word;
  }
  return rows;
}

function isOver(words: readonly RowWord[], silenceMs: number): boolean {
  if (words.length >= mostWords || silenceMs >= LONG_PAUSE_MS) return true;
  return words.length >= enoughWords && /[.?!]["”’)]?$/.test(words.at(-1)?.text ?? "");
}

/** The words of which some part lies in the span; undefined when there is none. */
export function wordsWithin(words: readonly Word[], startMs: number, endMs: number): WordRange | undefined {
  const firstWord = words.findIndex((word) => word.endMs > startMs && word.startMs < endMs);
  if (firstWord === -1) return undefined;
  const lastWord = words.findLastIndex((word) => word.endMs > startMs && word.startMs < endMs);
  return { firstWord, lastWord };
}

/** The row that a word stands in. */
export function rowOf(rows: readonly TranscriptRow[], word: number): number {
  return rows.findLastIndex(({ firstWord }) => firstWord <= word);
}
