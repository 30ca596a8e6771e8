/**
 * A segment of speech as a row of captions: its words, which of them hesitate, and the silence before each. Pure; the
 * same for what is being said and for what was.
 */
import type { Transcript, Word } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { HESITATION } from "../../delivery/filler-words.ts";
import { findFillers } from "../../delivery/find-fillers.ts";
import { SHORTEST_PAUSE_MS } from "../../delivery/find-pauses.ts";

export interface SpokenRow {
  readonly segmentIndex: number;
  readonly isFinal: boolean;
  /** Of its first word. */
  readonly startMs: number;
  /** Of its last word. */
  readonly endMs: number;
  readonly words: readonly RowWord[];
}

export interface RowWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly isFiller: boolean;
  /** Silence since the word before, if it is a pause: 300 ms or more. */
  readonly pauseMs: number | undefined;
}

/**
 * Marks hesitations ("um", "uh" and their kin). Words that are fillers only where they are set off ("like", "so") take
 * the whole session to tell: its summary names them.
 */
export function readRow(transcript: Transcript, previousEndMs: number | undefined): SpokenRow {
  const words = transcript.words.length > 0 ? transcript.words : [wholeSegment(transcript)];
  const fillers = new Set(
    findFillers(words)
      .filter(({ text }) => HESITATION.test(text))
      .map(({ firstWordIndex }) => firstWordIndex),
  );
  const row = {
    segmentIndex: transcript.segmentIndex,
    isFinal: transcript.isFinal,
    startMs: words[0]?.startMs ?? transcript.startMs,
    endMs: words.at(-1)?.endMs ?? transcript.endMs,
    words: words.map(({ text, startMs, endMs }, index) => ({
      text,
      startMs,
      endMs,
      isFiller: fillers.has(index),
      pauseMs: pauseBetween(words[index - 1]?.endMs, startMs),
    })),
  };
  return withPauseBefore(row, previousEndMs);
}

/** The same row after a word that ended then, or after none. The row itself when nothing changes. */
export function withPauseBefore(row: SpokenRow, previousEndMs: number | undefined): SpokenRow {
  const [first, ...others] = row.words;
  if (!first) return row;
  const pauseMs = pauseBetween(previousEndMs, first.startMs);
  return pauseMs === first.pauseMs ? row : { ...row, words: [{ ...first, pauseMs }, ...others] };
}

function pauseBetween(endMs: number | undefined, startMs: number): number | undefined {
  const pauseMs = endMs === undefined ? 0 : startMs - endMs;
  return pauseMs >= SHORTEST_PAUSE_MS ? pauseMs : undefined;
}

/** An engine that gives no words still gives a text. */
function wholeSegment({ text, startMs, endMs }: Transcript): Pick<Word, "text" | "startMs" | "endMs"> {
  return { text, startMs, endMs };
}
