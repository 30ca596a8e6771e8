/** The tables `sessions` and `segments`: what was said, and how far it is committed. */
import { sql } from "kysely";
import type { Selectable } from "kysely";
import type {
  SessionCommit,
  SessionEnd,
  SessionEndReason,
  SessionStore,
  StoredSegment,
  StoredSession,
} from "../transcription/session-store.ts";
import { olderThan, readPageToken, rowsToFetch, toPage } from "./page-token.ts";
import { json } from "./storable-text.ts";
import { StorageError } from "./storage-error.ts";
import type { Database, SegmentTable, SessionTable } from "./tables.ts";

export function sessionStore(db: Database): SessionStore {
  return {
    async create(session) {
      await db
        .insertInto("sessions")
        .values({
          session_id: session.sessionId,
          room_name: session.roomName,
          participant_identity: session.participantIdentity,
          user_id: session.userId,
          sample_rate_hz: session.sampleRateHz,
          channel_count: session.channelCount,
          language_code: session.languageCode,
          engine: session.engine,
          word_times: session.wordTimes,
          fillers: session.fillers,
          create_time: session.createTime,
        })
        .execute();
    },

    async commit(sessionId, epoch, commit) {
      if (!(await commitInOneStatement(db, sessionId, epoch, commit))) throw fenced();
    },

    async end(sessionId, epoch, end) {
      if (await endOnce(db, sessionId, epoch, end)) return;
      const now = await db
        .selectFrom("sessions")
        .select(["state", "epoch"])
        .where("session_id", "=", sessionId)
        .executeTakeFirst();
      if (now?.state !== "ended" || now.epoch !== epoch) throw fenced();
    },

    async touch(sessionIds) {
      await db
        .updateTable("sessions")
        .set({ touch_time: sql<Date>`now()` })
        .where(sql<boolean>`session_id = any(string_to_array(${sessionIds.join(",")}, ','))`)
        .where("state", "=", "active")
        .execute();
    },

    async endAbandoned(untouchedForMs) {
      const ended = await db
        .updateTable("sessions")
        .set({
          state: "ended",
          end_reason: "server-stopped",
          end_time: sql<Date>`now()`,
          duration_ms: sql<number>`committed_through * 1000 / sample_rate_hz`,
        })
        .where("state", "=", "active")
        .where("touch_time", "<", sql<Date>`now() - ${untouchedForMs / 1000}::float8 * interval '1 second'`)
        .executeTakeFirst();
      return Number(ended.numUpdatedRows);
    },

    async get(sessionId) {
      const row = await db
        .selectFrom("sessions")
        .selectAll()
        .where("session_id", "=", sessionId)
        .executeTakeFirst();
      return row && toSession(row);
    },

    async list(filter, page) {
      const after = readPageToken("sessions", page);
      let query = db
        .selectFrom("sessions")
        .selectAll()
        .orderBy("create_time", "desc")
        .orderBy("session_id", "desc")
        .limit(rowsToFetch(page));
      if (filter.userId !== undefined) query = query.where("user_id", "=", filter.userId);
      if (filter.roomName !== undefined) query = query.where("room_name", "=", filter.roomName);
      if (after) query = query.where(olderThan("session_id", after));
      const found = (await query.execute()).map(toSession);
      return toPage("sessions", page, found, (session) => ({
        createTime: session.createTime,
        id: session.sessionId,
      }));
    },

    async segments(sessionId) {
      const rows = await db
        .selectFrom("segments")
        .selectAll()
        .where("session_id", "=", sessionId)
        .orderBy("segment_index")
        .execute();
      return rows.map(toSegment);
    },
  };
}

/**
 * One statement is one transaction and one round trip: captions wait for it. The update takes the row's lock, so a
 * change of epoch is before it, and seen, or after it. False when fenced: then nothing was written.
 */
async function commitInOneStatement(db: Database, sessionId: string, epoch: number, commit: SessionCommit) {
  const { rows } = await sql<{ owned: number }>`
    with owned as (
      update sessions
      set committed_through = greatest(committed_through, ${commit.committedThrough}::int8), touch_time = now()
      where session_id = ${sessionId} and epoch = ${epoch} and state = 'active'
      returning session_id
    ), written as (
      insert into segments (session_id, segment_index, channel, start_sample, end_sample, start_ms, end_ms, text, words,
        voiced)
      select owned.session_id, final."segmentIndex", final.channel, final."startSample", final."endSample",
        final."startMs", final."endMs", final.text, final.words, final.voiced
      from owned, jsonb_to_recordset(${json(commit.segments)}::jsonb) as final(
        "segmentIndex" int4, channel int4, "startSample" int8, "endSample" int8, "startMs" int8, "endMs" int8,
        text text, words jsonb, voiced jsonb)
      on conflict (session_id, segment_index) do nothing
    )
    select count(*)::int4 as owned from owned`.execute(db);
  return rows[0]?.owned === 1;
}

async function endOnce(db: Database, sessionId: string, epoch: number, end: SessionEnd): Promise<boolean> {
  const updated = await db
    .updateTable("sessions")
    .set({
      state: "ended",
      end_reason: end.reason,
      end_time: end.endTime,
      duration_ms: end.durationMs,
      interview_id: end.interviewId ?? null,
    })
    .where("session_id", "=", sessionId)
    .where("epoch", "=", epoch)
    .where("state", "<>", "ended")
    .executeTakeFirst();
  return updated.numUpdatedRows === 1n;
}

function fenced(): StorageError {
  return new StorageError("fenced", "the session has ended or is served elsewhere");
}

function toSession(row: Selectable<SessionTable>): StoredSession {
  return {
    sessionId: row.session_id,
    roomName: row.room_name,
    participantIdentity: row.participant_identity,
    userId: row.user_id,
    sampleRateHz: row.sample_rate_hz,
    channelCount: row.channel_count,
    languageCode: row.language_code,
    engine: row.engine,
    wordTimes: row.word_times as StoredSession["wordTimes"],
    fillers: row.fillers as StoredSession["fillers"],
    createTime: row.create_time,
    state: row.state as StoredSession["state"],
    epoch: row.epoch,
    committedThrough: row.committed_through,
    durationMs: row.duration_ms ?? Math.floor((row.committed_through * 1000) / row.sample_rate_hz),
    ...(row.end_reason !== null && { endReason: row.end_reason as SessionEndReason }),
    ...(row.end_time !== null && { endTime: row.end_time }),
    ...(row.interview_id !== null && { interviewId: row.interview_id }),
  };
}

function toSegment(row: Selectable<SegmentTable>): StoredSegment {
  return {
    segmentIndex: row.segment_index,
    channel: row.channel,
    startSample: row.start_sample,
    endSample: row.end_sample,
    startMs: row.start_ms,
    endMs: row.end_ms,
    text: row.text,
    words: row.words as StoredSegment["words"],
    voiced: row.voiced as StoredSegment["voiced"],
  };
}
