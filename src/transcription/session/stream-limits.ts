/**
 * How many streams may be open at once: in all, of one participant, from one address. Only counts; opens and ends nothing.
 *
 * Streams of one session count as one, for they replace each other: the older one ends as soon as the newer one has taken
 * the session over. So a client that lost its connection can always resume, however long the server takes to notice.
 */
import { SessionError } from "../session-error.ts";
import type { Speaker } from "./session-options.ts";

export interface StreamLimitValues {
  /** In all. Default 1000. */
  readonly maxStreams: number;
  /** Of one user, in one room, under one identity. Default 8: one is usual, and a lost one may still be there. */
  readonly maxPerParticipant: number;
  /** From one address. Default 200; a proxy brings everybody from one. */
  readonly maxPerAddress: number;
}

export const defaultStreamLimits: StreamLimitValues = {
  maxStreams: 1000,
  maxPerParticipant: 8,
  maxPerAddress: 200,
};

export interface StreamOrigin {
  readonly speaker: Speaker;
  /** Where the connection comes from, as the limit counts it; absent: not known, and not counted by address. */
  readonly address?: string;
  /** The session that it continues. */
  readonly resumes?: string;
}

export interface AdmittedStream {
  /** The session that was opened. */
  serves(sessionId: string): void;
  /** The stream is over, or was never opened. Safe to repeat. */
  release(): void;
}

interface OpenStream extends AdmittedStream {
  readonly participant: string;
  readonly address: string | undefined;
  /** One for all streams of a session. */
  readonly session: { id?: string };
}

/** Streams of one session that may be open or opening at once, so that resuming is no way around the limits. */
const maxOfSession = 4;

export class StreamLimits {
  readonly #limits: StreamLimitValues;
  readonly #open = new Set<OpenStream>();

  constructor(limits: StreamLimitValues = defaultStreamLimits) {
    this.#limits = limits;
  }

  /** Streams that are open, those of one session counted one by one. */
  get count(): number {
    return this.#open.size;
  }

  /** Throws SessionError `limit`. The caller must release what it admits, also when opening fails. */
  admit({ speaker, address, resumes }: StreamOrigin): AdmittedStream {
    const participant = JSON.stringify([speaker.userId, speaker.roomName, speaker.participantIdentity]);
    const replaced = [...this.#open].filter(
      (stream) =>
        stream.session.id === resumes && resumes !== undefined && stream.participant === participant,
    );
    const session = replaced[0]?.session ?? { ...(resumes !== undefined && { id: resumes }) };
    this.#check(session, replaced.length, participant, address);
    const stream: OpenStream = {
      participant,
      address,
      session,
      serves: (sessionId) => void (session.id = sessionId),
      release: () => void this.#open.delete(stream),
    };
    this.#open.add(stream);
    return stream;
  }

  #check(session: object, replaced: number, participant: string, address: string | undefined): void {
    const { maxStreams, maxPerParticipant, maxPerAddress } = this.#limits;
    if (replaced >= maxOfSession) {
      throw new SessionError(
        "limit",
        `${replaced} streams continue this session already; wait for one to end`,
      );
    }
    const others = [...this.#open].filter((stream) => stream.session !== session);
    const sessions = (streams: readonly OpenStream[]) =>
      new Set(streams.map((stream) => stream.session)).size;
    if (sessions(others.filter((stream) => stream.participant === participant)) >= maxPerParticipant) {
      throw new SessionError(
        "limit",
        `this participant has ${maxPerParticipant} streams open, as many as MAX_STREAMS_PER_PARTICIPANT allows; ` +
          "end one, or resume its session",
      );
    }
    if (
      address !== undefined &&
      sessions(others.filter((stream) => stream.address === address)) >= maxPerAddress
    ) {
      throw new SessionError(
        "limit",
        `${maxPerAddress} streams are open from this address, as many as MAX_STREAMS_PER_ADDRESS allows; ` +
          "end one, or have the limit raised if a proxy brings many clients",
      );
    }
    if (sessions(others) >= maxStreams) {
      throw new SessionError(
        "limit",
        `${maxStreams} streams are open, as many as MAX_STREAMS allows; try again later`,
      );
    }
  }
}
