/**
 * What everybody in a room says, as rows: finals in the order in which the server wrote them, and below them what is being
 * said. Takes the events of WatchSession; talks to no server. A row is replaced as a whole when it changes.
 */
import { signal, type ReadonlySignal } from "@preact/signals";
import {
  SpeechState,
  type Transcript,
  type WatchSessionResponse,
} from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";

export interface RoomRow {
  /** Stays the same when words settle. */
  readonly key: number;
  readonly sessionId: string;
  readonly speaker: Speaker;
  readonly text: string;
  readonly isFinal: boolean;
  /** Whether another one spoke before, so that the name has to be said. */
  readonly beginsTurn: boolean;
}

export interface Speaker {
  readonly identity: string;
  /** Counts those of the room from 0, in the order in which they were first heard of. */
  readonly number: number;
}

export interface Participant extends Speaker {
  /** Whether a session of theirs is open, as far as the log has told. */
  readonly isHere: boolean;
  readonly isSpeaking: boolean;
  readonly wordCount: number;
}

interface Segment {
  readonly key: number;
  readonly sessionId: string;
  readonly identity: string;
  readonly transcript: Transcript;
}

export class RoomCaptions {
  readonly #finals: RoomRow[] = [];
  /** Keys of segments whose final is there; one that comes twice is shown once. */
  readonly #settled = new Set<string>();
  /** By segment. */
  readonly #interims = new Map<string, Segment>();
  readonly #people = new Map<string, Participant>();
  /** Open sessions of each participant, and whether somebody speaks in them. */
  readonly #sessions = new Map<string, { identity: string; isSpeaking: boolean }>();
  #nextKey = 0;

  readonly #rows = signal<readonly RoomRow[]>([]);
  readonly #participants = signal<readonly Participant[]>([]);
  readonly #latestFinal = signal<RoomRow | undefined>(undefined);

  readonly rows: ReadonlySignal<readonly RoomRow[]> = this.#rows;
  /** In the order of their numbers. */
  readonly participants: ReadonlySignal<readonly Participant[]> = this.#participants;
  /** For reading it out. */
  readonly latestFinal: ReadonlySignal<RoomRow | undefined> = this.#latestFinal;

  take({ sessionId, participantIdentity: identity, event }: WatchSessionResponse): void {
    this.#change(identity, {}); // is in the room from the first event on
    const said = event?.event;
    switch (said?.case) {
      case "sessionStarted":
        this.#sessions.set(sessionId, { identity, isSpeaking: false });
        break;
      case "transcript":
        this.#hear(sessionId, identity, said.value);
        break;
      case "speechActivity":
        this.#sessions.set(sessionId, { identity, isSpeaking: said.value.state === SpeechState.STARTED });
        break;
      case "sessionSummary":
        this.#sessions.delete(sessionId);
        this.#forgetInterims((segment) => segment.sessionId === sessionId);
        break;
      default:
        return; // acknowledgements and figures are the speaker's own
    }
    this.#refresh(identity);
  }

  /** To be called when the connection is cut: what was being said then is not known any more. */
  forgetInterims(): void {
    this.#forgetInterims(() => true);
    this.#draw();
  }

  /** Begins anew, as when the log is read from the beginning again. */
  clear(): void {
    this.#finals.length = 0;
    this.#settled.clear();
    this.#interims.clear();
    this.#people.clear();
    this.#sessions.clear();
    this.#participants.value = [];
    this.#draw();
  }

  #hear(sessionId: string, identity: string, transcript: Transcript): void {
    if (!this.#sessions.has(sessionId)) this.#sessions.set(sessionId, { identity, isSpeaking: true });
    const id = `${sessionId}/${transcript.channel}/${transcript.segmentIndex}`;
    if (this.#settled.has(id)) return;
    const before = this.#interims.get(id);
    if (!transcript.isFinal) {
      if (transcript.text === "") this.#interims.delete(id);
      else this.#interims.set(id, { key: before?.key ?? this.#nextKey++, sessionId, identity, transcript });
      return;
    }
    this.#interims.delete(id);
    this.#settled.add(id);
    if (transcript.text === "") return;
    const row = this.#rowOf(
      { key: before?.key ?? this.#nextKey++, sessionId, identity, transcript },
      this.#finals.at(-1),
    );
    this.#finals.push(row);
    this.#latestFinal.value = row;
    const count = transcript.words.length || transcript.text.split(/\s+/).length;
    this.#change(identity, { wordCount: (this.#people.get(identity)?.wordCount ?? 0) + count });
  }

  #refresh(identity: string): void {
    const open = [...this.#sessions.values()].filter((session) => session.identity === identity);
    this.#change(identity, {
      isHere: open.length > 0,
      isSpeaking: open.some(({ isSpeaking }) => isSpeaking),
    });
    this.#participants.value = [...this.#people.values()];
    this.#draw();
  }

  #change(identity: string, change: Partial<Participant>): void {
    const before = this.#people.get(identity) ?? {
      identity,
      number: this.#people.size,
      isHere: false,
      isSpeaking: false,
      wordCount: 0,
    };
    this.#people.set(identity, { ...before, ...change });
  }

  #draw(): void {
    const rows = [...this.#finals];
    for (const segment of this.#interims.values()) rows.push(this.#rowOf(segment, rows.at(-1)));
    this.#rows.value = rows;
  }

  #rowOf({ key, sessionId, identity, transcript }: Segment, before: RoomRow | undefined): RoomRow {
    const speaker = { identity, number: this.#people.get(identity)?.number ?? 0 };
    const beginsTurn = before?.speaker.identity !== identity;
    return { key, sessionId, speaker, text: transcript.text, isFinal: transcript.isFinal, beginsTurn };
  }

  #forgetInterims(isGone: (segment: Segment) => boolean): void {
    for (const [id, segment] of this.#interims) if (isGone(segment)) this.#interims.delete(id);
  }
}
