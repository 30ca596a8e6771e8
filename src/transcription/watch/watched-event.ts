/** What a watcher is told of a session: what its speaker is, without what is theirs alone. */
import type { SessionStore } from "../session-store.ts";
import { finalEvent } from "../session/lane-captions.ts";
import { estimateBytes } from "../session/session-events.ts";
import type { SessionEvent, StartedEvent } from "../session/session-events.ts";
import type { SessionPlace } from "../session/session-options.ts";
import { summarize } from "../session/summarize.ts";
import type { LoggedEvent } from "./session-event-log.ts";

export interface WatchedEvent {
  readonly session: SessionPlace;
  readonly event: WatchableEvent;
  /** Its number in the room's log; absent: it is nowhere but here. */
  readonly position?: number;
  /** Roughly what it takes on the wire. */
  readonly bytes: number;
}

/** The secret with which the session is continued, and the speaker's token, are not in it. */
export type WatchableEvent =
  Omit<StartedEvent, "resumeToken" | "tokenExpireTime"> | Exclude<SessionEvent, StartedEvent>;

/** What passes, and is in no log. Undefined for what is, and for what concerns the speaker only. */
export function toLiveEvent(session: SessionPlace, event: SessionEvent): WatchedEvent | undefined {
  switch (event.type) {
    case "ack":
    case "speech":
    case "delivery":
      return { session, event, bytes: estimateBytes(event) };
    case "transcript":
      return event.isFinal ? undefined : { session, event, bytes: estimateBytes(event) };
    case "warning":
      return event.code === "token-expiring" ? undefined : { session, event, bytes: estimateBytes(event) };
    case "started":
    case "gap":
    case "summary":
      return undefined;
  }
}

/** `revision`: of a final, the number of results that were told of its segment before. */
export async function toWatchedEvent(
  logged: LoggedEvent,
  revision: number,
  store: Pick<SessionStore, "segments" | "gaps">,
): Promise<WatchedEvent> {
  const { position } = logged;
  const { sessionId, roomName, participantIdentity } = logged.session;
  const event = await describe(logged, revision, store);
  const bytes = event.type === "summary" ? summaryBytes(event.summary.words.length) : bytesOf(event);
  return { session: { sessionId, roomName, participantIdentity }, event, position, bytes };
}

async function describe(
  logged: LoggedEvent,
  revision: number,
  store: Pick<SessionStore, "segments" | "gaps">,
): Promise<WatchableEvent> {
  const { session } = logged;
  const { sessionId } = session;
  switch (logged.kind) {
    case "started":
      return {
        type: "started",
        sessionId,
        nextSample: 0,
        epoch: 1,
        engine: session.engine,
        wordTimes: session.wordTimes,
        fillersDetectable: session.fillers === "kept",
        createTime: session.createTime,
      };
    case "final":
      return finalEvent(logged.segment, revision);
    case "gap":
      return { type: "gap", ...logged.gap };
    case "ended": {
      const [segments, gaps] = await Promise.all([store.segments(sessionId), store.gaps(sessionId)]);
      return { type: "summary", summary: summarize(session, segments, gaps) };
    }
  }
}

function bytesOf(event: WatchableEvent): number {
  return event.type === "started" ? 96 : estimateBytes(event);
}

/** Each word is in it twice, with its times. */
function summaryBytes(words: number): number {
  return 512 + words * 64;
}
