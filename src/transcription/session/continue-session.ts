/**
 * Continues a session from what the database has of it: takes it over, so that everything older is fenced, and opens a
 * stream behind what is committed. The same for a session of this process, of another replica and of a dead one.
 */
import type { AudioFormat } from "../audio/audio-format.ts";
import { SessionError } from "../session-error.ts";
import type { SessionOpening, StoredSession, TakeOver } from "../session-store.ts";
import { finalEvent } from "./lane-captions.ts";
import { reservedNumbers } from "./numbered-events.ts";
import { hashResumeToken } from "./resume-token.ts";
import { Session } from "./session.ts";
import type { SessionEvent } from "./session-events.ts";
import type { SessionDependencies, Speaker, StreamToken } from "./session-options.ts";
import { summarize } from "./summarize.ts";

export interface ContinueRequest {
  readonly sessionId: string;
  readonly resumeToken: string;
  readonly speaker: Speaker;
  readonly token: StreamToken;
  /** How many finals the client has; absent: it wants none again. */
  readonly finalsReceived?: number;
  /** What the client says of its audio; it must not differ from what it said when the session was opened. */
  readonly format: Partial<AudioFormat>;
}

export interface ContinueDependencies extends SessionDependencies {
  readonly windowMs: number;
  /** The session is ours, in this epoch; an older stream of it has nothing more to do. */
  readonly onTakenOver: (epoch: number) => void;
}

/** There is nothing to continue: its client had half-closed, and may not have heard the end. */
export interface CompletedSession {
  readonly events: Iterable<SessionEvent>;
  /** The number of the first event. */
  readonly firstSequence: number;
}

/** Rejects with SessionError `unknown-session`, `session-over`, `invalid`, or as Session.open. */
export async function continueSession(
  request: ContinueRequest,
  dependencies: ContinueDependencies,
): Promise<Session | CompletedSession> {
  const { sessionId, resumeToken, speaker } = request;
  const taken = await dependencies.store.takeOver({
    ...speaker,
    sessionId,
    resumeTokenHash: hashResumeToken(resumeToken),
    format: request.format,
    windowMs: dependencies.windowMs,
    reservedNumbers,
  });
  const { session, opening } = foundIn(taken);
  if (taken.outcome === "completed") return repeatEnd(session, opening, request, dependencies);
  dependencies.onTakenOver(session.epoch);
  return openBehind(session, opening, request, dependencies);
}

function foundIn(taken: TakeOver) {
  switch (taken.outcome) {
    case "taken":
    case "completed":
      return taken;
    case "other-format":
      throw new SessionError(
        "invalid",
        `config: the session was opened with ${describe(taken)}; leave the format out when you resume`,
      );
    case "unknown":
      throw new SessionError("unknown-session", "resume: there is no such session of yours; open a new one");
    case "over":
      throw new SessionError("session-over", "resume: the session is over; open a new one");
  }
}

async function openBehind(
  stored: StoredSession,
  opening: SessionOpening,
  request: ContinueRequest,
  dependencies: ContinueDependencies,
): Promise<Session> {
  const { store } = dependencies;
  const { encoding, ...options } = opening.options;
  const { sampleRateHz, channelCount, languageCode, sessionId, epoch } = stored;
  const format = { encoding, sampleRateHz, channelCount };
  const [segments, gaps] = await Promise.all([store.segments(sessionId), store.gaps(sessionId)]);
  return Session.open(
    {
      ...options,
      ...request.speaker,
      sessionId,
      resumeToken: request.resumeToken,
      token: request.token,
      format,
      languageCode,
    },
    dependencies,
    {
      epoch,
      createTime: stored.createTime,
      committedThrough: stored.committedThrough,
      engine: { engine: stored.engine, wordTimes: stored.wordTimes, fillers: stored.fillers },
      segments,
      gaps,
      sequence: opening.sequenceCeiling - reservedNumbers,
      ...(request.finalsReceived === undefined ? {} : { finalsReceived: request.finalsReceived }),
    },
  );
}

function describe({ session, opening }: Extract<TakeOver, { outcome: "other-format" }>): string {
  const { sampleRateHz, channelCount } = session;
  return `${opening.options.encoding.toUpperCase()}, ${sampleRateHz} Hz, ${channelCount} channel(s)`;
}

async function repeatEnd(
  stored: StoredSession,
  opening: SessionOpening,
  request: ContinueRequest,
  { store }: ContinueDependencies,
): Promise<CompletedSession> {
  const { sessionId, epoch, engine, wordTimes, fillers, createTime, committedThrough } = stored;
  const [segments, gaps] = await Promise.all([store.segments(sessionId), store.gaps(sessionId)]);
  const received = request.finalsReceived ?? Infinity;
  const missed = segments.filter((segment) => segment.finalNumber > received);
  return {
    firstSequence: opening.sequenceCeiling + 1,
    events: [
      {
        type: "started",
        sessionId,
        resumeToken: request.resumeToken,
        nextSample: committedThrough,
        epoch,
        engine,
        wordTimes,
        fillersDetectable: fillers === "kept",
        createTime,
        tokenExpireTime: request.token.expireTime,
      },
      ...missed.map((segment) => finalEvent(segment, 0)),
      {
        type: "ack",
        throughSample: committedThrough,
        throughMs: Math.floor((committedThrough * 1000) / stored.sampleRateHz),
      },
      { type: "summary", summary: summarize(stored, segments, gaps) },
    ],
  };
}
