/**
 * The sound of sessions, kept in this browser alone (the server keeps none): to hear evidence in a report, and to go on
 * after a reload without losing what was not yet safe. An IndexedDB database; bounded by how many recordings there are.
 */
import { openRecordingDatabase, requestResult, transactionEnd } from "./recording-database.ts";

/** The newest ones; older ones are deleted when another begins. */
export const keptRecordings = 5;

export interface Recording {
  readonly recordingId: string;
  /** Who recorded, as the token says. */
  readonly userId: string;
  /** A microphone can go on after a reload; what a file holds is kept whole before it is sent. */
  readonly source: "microphone" | "file";
  /** For people, such as a file's name. */
  readonly title: string;
  /** Where its session is. */
  readonly roomName: string;
  readonly createdAtMs: number;
  /** When something of it was last kept. */
  readonly keptAtMs: number;
  /** After its last sample on the session clock. */
  readonly endSample: number;
  /** Its session has ended, or was given up. */
  readonly isFinished: boolean;
  /** Once the session has started. Secret, as ResumePoint says. */
  readonly resume?: { readonly sessionId: string; readonly resumeToken: string };
}

export type NewRecording = Pick<Recording, "userId" | "source" | "title" | "roomName">;

export class RecordingStore {
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  /** Rejects where a browser gives pages no database, as some do in private windows. */
  static async open(): Promise<RecordingStore> {
    return new RecordingStore(await openRecordingDatabase());
  }

  /** Newest first. */
  async list(): Promise<Recording[]> {
    const { recordings } = this.#read();
    const all = await requestResult(recordings.getAll() as IDBRequest<Recording[]>);
    return all.sort((a, b) => b.createdAtMs - a.createdAtMs);
  }

  /** The recording of a session, if this browser has it. */
  async find(sessionId: string): Promise<Recording | undefined> {
    return (await this.list()).find(({ resume }) => resume?.sessionId === sessionId);
  }

  /** Makes room for it: deletes the oldest finished ones that are too many. */
  async begin(init: NewRecording): Promise<Recording> {
    const finished = (await this.list()).filter(({ isFinished }) => isFinished);
    for (const { recordingId } of finished.slice(keptRecordings - 1)) await this.delete(recordingId);
    const nowMs = Date.now();
    const recording: Recording = {
      ...init,
      recordingId: crypto.randomUUID(),
      createdAtMs: nowMs,
      keptAtMs: nowMs,
      endSample: 0,
      isFinished: false,
    };
    await this.#write(({ recordings }) => recordings.add(recording));
    return recording;
  }

  /** Changes what is known of a recording; one that was deleted stays so. */
  async update(
    recordingId: string,
    changes: Partial<Pick<Recording, "isFinished" | "resume">>,
  ): Promise<void> {
    await this.#change(recordingId, (recording) => ({ ...recording, ...changes }));
  }

  /** Keeps samples, at most `maxPieceSamples`, at their place on the session clock. Rejects with "QuotaExceededError". */
  async append(recordingId: string, firstSample: number, samples: Int16Array): Promise<void> {
    await this.#change(recordingId, (recording, pieces) => {
      pieces.put({ recordingId, firstSample, samples: samples.slice() } satisfies Piece);
      const endSample = Math.max(recording.endSample, firstSample + samples.length);
      return { ...recording, endSample, keptAtMs: Date.now() };
    });
  }

  /** From one sample to before another; silence where nothing is kept. */
  async read(recordingId: string, fromSample: number, toSample: number): Promise<Int16Array<ArrayBuffer>> {
    const samples = new Int16Array(Math.max(0, toSample - fromSample));
    if (samples.length === 0) return samples;
    const range = IDBKeyRange.bound(
      [recordingId, fromSample - maxPieceSamples],
      [recordingId, toSample],
      false,
      true,
    );
    for (const piece of await requestResult(this.#read().pieces.getAll(range) as IDBRequest<Piece[]>)) {
      const at = piece.firstSample - fromSample;
      const part = piece.samples.subarray(Math.max(0, -at), Math.max(0, samples.length - at));
      if (part.length > 0) samples.set(part, Math.max(0, at));
    }
    return samples;
  }

  async delete(recordingId: string): Promise<void> {
    await this.#write(({ recordings, pieces }) => {
      recordings.delete(recordingId);
      pieces.delete(IDBKeyRange.bound([recordingId, -Infinity], [recordingId, Infinity]));
    });
  }

  #read() {
    return stores(this.#database.transaction(["recordings", "pieces"], "readonly"));
  }

  async #write(change: (to: ReturnType<typeof stores>) => void): Promise<void> {
    const transaction = this.#database.transaction(["recordings", "pieces"], "readwrite");
    change(stores(transaction));
    await transactionEnd(transaction);
  }

  async #change(
    recordingId: string,
    change: (recording: Recording, pieces: IDBObjectStore) => Recording,
  ): Promise<void> {
    await this.#write(({ recordings, pieces }) => {
      const found = recordings.get(recordingId) as IDBRequest<Recording | undefined>;
      found.onsuccess = () => {
        if (found.result) recordings.put(change(found.result, pieces));
      };
    });
  }
}

/** Ten seconds. */
export const maxPieceSamples = 160_000;

interface Piece {
  readonly recordingId: string;
  readonly firstSample: number;
  readonly samples: Int16Array;
}

function stores(transaction: IDBTransaction) {
  return { recordings: transaction.objectStore("recordings"), pieces: transaction.objectStore("pieces") };
}
