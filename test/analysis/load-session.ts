/** Sessions as the composition root hands them to interviews, and one with a few words to analyse. */
import type { AnalyzedSession } from "../../src/analysis/interviews.ts";
import type { Storage } from "../../src/storage/open-storage.ts";
import { summarize } from "../../src/transcription/session/summarize.ts";
import { segment, session } from "../storage/samples.ts";

export async function loadSession(storage: Storage, sessionId: string): Promise<AnalyzedSession | undefined> {
  const stored = await storage.sessions.get(sessionId);
  if (!stored) return undefined;
  const { words, figures } = summarize(stored, await storage.sessions.segments(sessionId), []);
  const { userId, roomName } = stored;
  return { userId, roomName, hasEnded: stored.state === "ended", words, figures };
}

export async function haveSession(
  storage: Storage,
  sessionId: string,
  fields: { userId?: string; roomName?: string; ended?: boolean } = {},
): Promise<void> {
  const { ended = true, ...rest } = fields;
  await storage.sessions.create(session(sessionId, rest));
  const segments = Array.from({ length: 30 }, (_, index) => segment(index));
  await storage.sessions.commit(sessionId, 1, { segments, committedThrough: 480_000 });
  if (!ended) return;
  await storage.sessions.end(sessionId, 1, { reason: "completed", durationMs: 30_000, endTime: new Date() });
}
