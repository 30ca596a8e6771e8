/**
 * The captions of a session while it is spoken: rows in order, each replaced as a whole when its segment changes, so that a
 * view draws again only what did. Takes the events of a transcription; never talks to a server.
 */
import { signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import type { Transcript } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { readRow, withPauseBefore } from "./spoken-row.ts";
import type { SpokenRow } from "./spoken-row.ts";

export class Captions {
  readonly #rows = signal<readonly SpokenRow[]>([]);
  readonly #latestFinal = signal<SpokenRow | undefined>(undefined);

  /** In order of segments. */
  readonly rows: ReadonlySignal<readonly SpokenRow[]> = this.#rows;
  /** The row that became final last, for reading it out. */
  readonly latestFinal: ReadonlySignal<SpokenRow | undefined> = this.#latestFinal;

  /** A later result of a segment replaces all of an earlier one; an empty one takes the segment back. */
  take(transcript: Transcript): void {
    const rows = [...this.#rows.peek()];
    const index = placeOf(rows, transcript.segmentIndex);
    const isThere = rows[index]?.segmentIndex === transcript.segmentIndex;
    if (transcript.text === "" && transcript.words.length === 0) {
      if (!isThere) return;
      rows.splice(index, 1);
    } else {
      const row = readRow(transcript, rows[index - 1]?.endMs);
      rows.splice(index, isThere ? 1 : 0, row);
      if (row.isFinal) this.#latestFinal.value = row;
    }
    // The row that follows may have been there first, as an interim.
    for (const after of [index, index + 1]) {
      const next = rows[after];
      if (next) rows[after] = withPauseBefore(next, rows[after - 1]?.endMs);
    }
    this.#rows.value = rows;
  }
}

/** Where the segment is or belongs; nearly always near the end. */
function placeOf(rows: readonly SpokenRow[], segmentIndex: number): number {
  return rows.findLastIndex((row) => row.segmentIndex < segmentIndex) + 1;
}
