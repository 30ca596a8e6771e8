/**
 * Tells the replicas of a database that a session goes on elsewhere, so that its older stream ends at once rather than at
 * its next commit. Nothing depends on it: what comes too late is fenced.
 */
import { z } from "zod";
import type { Notices } from "../../notices.ts";
import type { LiveSessions } from "./live-sessions.ts";

const topic = "session-taken-over";
const noticeSchema = z.object({ sessionId: z.string(), epoch: z.number() });

/** For LiveSessions.announceTakeOver. */
export function announceTakeOvers(
  notices: Notices,
  onProblem: (sessionId: string, message: string, error: unknown) => void,
): (sessionId: string, epoch: number) => void {
  return (sessionId, epoch) => {
    notices.publish(topic, JSON.stringify({ sessionId, epoch })).catch((error: unknown) => {
      onProblem(sessionId, "other replicas were not told that a session goes on here", error);
    });
  };
}

/** The returned function ends it. */
export function heedTakeOvers(
  notices: Notices,
  sessions: LiveSessions,
  onProblem: (sessionId: string, message: string, error: unknown) => void,
): () => void {
  return notices.subscribe(topic, {
    onNotice(payload) {
      const { sessionId, epoch } = noticeSchema.parse(JSON.parse(payload));
      sessions.supersede(sessionId, epoch);
    },
    onMissed() {
      sessions
        .lookForTakeOvers()
        .catch((error: unknown) => onProblem("", "missed notices could not be made up for", error));
    },
  });
}
