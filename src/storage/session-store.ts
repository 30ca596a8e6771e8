/**
 * The tables `sessions`, `segments` and `audio_gaps`: what was said, how far it is committed, and who serves it. Long for the
 * number of its statements: what makes them right is that they fence one another, so they stand together.
 */
import { sql } from "kysely";
import type { Selectable } from "kysely";
import type {
  SessionCommit,
  SessionEnd,
  SessionOpening,
  SessionStore,
  StreamOptions,
  TakeOverRequest,
} from "../transcription/session-store.ts";
import { appendNews, newsOf } from "./append-events.ts";
import { olderThan, readPageToken, rowsToFetch, toPage } from "./page-token.ts";
import { toGap, toSegment, toSession } from "./session-rows.ts";
import { json } from "./storable-text.ts";
import { StorageError } from "./storage-error.ts";
import type { Database, SessionTable } from "./tables.ts";

/** `onAppended` is told of rooms to whose logs something was added, once it is committed. */
export function sessionStore(
  db: Database,
  onAppended: (roomNames: readonly string[]) => void = () => undefined,
): SessionStore {
  return {
    async create(session, opening) {
      const created = db
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
          ...(opening && {
            resume_token_hash: opening.resumeTokenHash,
            stream_options: json(opening.options),
            sequence_ceiling: opening.sequenceCeiling,
          }),
        })
        .returning(["session_id", "room_name"]);
      await sql`
        with created as (${created}), ${newsOf("started", sql`created`)}, ${appendNews()}
        select 1`.execute(db);
      onAppended([session.roomName]);
    },

    async commit(sessionId, epoch, commit) {
      const roomName = await commitInOneStatement(db, sessionId, epoch, commit);
      if (roomName === undefined) throw fenced();
      if (commit.segments.length > 0 || (commit.gaps ?? []).length > 0) onAppended([roomName]);
    },

    async end(sessionId, epoch, end) {
      const roomName = await endOnce(db, sessionId, epoch, end);
      if (roomName !== undefined) {
        onAppended([roomName]);
        return;
      }
      const now = await db
        .selectFrom("sessions")
        .select(["state", "epoch"])
        .where("session_id", "=", sessionId)
        .executeTakeFirst();
      if (now?.state !== "ended" || now.epoch !== epoch) throw fenced();
    },

    async interrupt(sessionId, epoch, { reason, durationMs, sequence }) {
      const interrupted = await db
        .updateTable("sessions")
        .set({
          state: "interrupted",
          end_reason: reason,
          duration_ms: durationMs,
          sequence_ceiling: sequence,
          interrupt_time: sql<Date>`now()`,
        })
        .where("session_id", "=", sessionId)
        .where("epoch", "=", epoch)
        .where("state", "<>", "ended")
        .executeTakeFirst();
      if (interrupted.numUpdatedRows !== 1n) throw fenced();
    },

    async takeOver(request) {
      const taken = await takeOverOnce(db, request);
      if (taken) return { outcome: "taken", session: toSession(taken), opening: toOpening(taken) };
      const row = await ownedBySpeaker(db, request).executeTakeFirst();
      if (!row) return { outcome: "unknown" };
      if (row.state !== "ended" && row.is_in_window)
        return { outcome: "other-format", session: toSession(row), opening: toOpening(row) };
      return row.end_reason === "completed" && row.is_in_window
        ? { outcome: "completed", session: toSession(row), opening: toOpening(row) }
        : { outcome: "over" };
    },

    async touch(served) {
      await sql`
        update sessions
        set touch_time = now(), state = 'active', interrupt_time = null, end_reason = null, duration_ms = null
        from jsonb_to_recordset(${json(served)}::jsonb) as served("sessionId" text, epoch int4)
        where session_id = served."sessionId" and sessions.epoch = served.epoch and state <> 'ended'`.execute(
        db,
      );
    },

    async epochs(sessionIds) {
      const rows = await db
        .selectFrom("sessions")
        .select(["session_id", "epoch"])
        .where(isOneOf(sessionIds))
        .execute();
      return new Map(rows.map((row) => [row.session_id, row.epoch]));
    },

    async interruptAbandoned(untouchedForMs) {
      const interrupted = await db
        .updateTable("sessions")
        .set({
          state: "interrupted",
          end_reason: "server-stopped",
          duration_ms: sql<number>`committed_through * 1000 / sample_rate_hz`,
          interrupt_time: sql<Date>`now()`,
        })
        .where("state", "=", "active")
        .where("touch_time", "<", ago(untouchedForMs))
        .executeTakeFirst();
      return Number(interrupted.numUpdatedRows);
    },

    async endInterrupted(interruptedForMs) {
      const { rows } = await sql<{ room_name: string }>`
        with ended as (
          update sessions set state = 'ended', end_time = now()
          where state = 'interrupted' and interrupt_time < ${ago(interruptedForMs)}
          returning session_id, room_name
        ), ${newsOf("ended", sql`ended`)}, ${appendNews()}
        select room_name from ended`.execute(db);
      if (rows.length > 0) onAppended([...new Set(rows.map((row) => row.room_name))]);
      return rows.length;
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
      if (filter.hasEnded) query = query.where("state", "=", "ended");
      if (filter.after !== undefined) query = query.where("create_time", ">", filter.after);
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
        .innerJoin("sessions", "sessions.session_id", "segments.session_id")
        .selectAll("segments")
        .select("sessions.word_times as session_word_times")
        .where("segments.session_id", "=", sessionId)
        .orderBy("segment_index")
        .execute();
      return rows.map(toSegment);
    },

    async gaps(sessionId) {
      const rows = await db
        .selectFrom("audio_gaps")
        .selectAll()
        .where("session_id", "=", sessionId)
        .orderBy("first_sample")
        .orderBy("channel")
        .execute();
      return rows.map(toGap);
    },
  };
}

/**
 * One statement is one transaction and one round trip: captions wait for it. The update takes the row's lock, so a
 * change of epoch is before it, and seen, or after it. Returns the room; undefined when fenced: then nothing was written.
 */
async function commitInOneStatement(db: Database, sessionId: string, epoch: number, commit: SessionCommit) {
  const { engine } = commit;
  const { rows } = await sql<{ room_name: string }>`
    with owned as (
      update sessions
      set committed_through = greatest(committed_through, ${commit.committedThrough}::int8), touch_time = now(),
        sequence_ceiling = greatest(sequence_ceiling, ${commit.sequenceCeiling ?? null}::int8),
        engine = coalesce(${engine?.engine ?? null}::text, engine),
        word_times = coalesce(${engine?.wordTimes ?? null}::text, word_times),
        fillers = coalesce(${engine?.fillers ?? null}::text, fillers)
      where session_id = ${sessionId} and epoch = ${epoch} and state <> 'ended'
      returning session_id, room_name
    ), written as (
      insert into segments (session_id, segment_index, channel, start_sample, end_sample, start_ms, end_ms, text, words,
        voiced, final_number, word_times)
      select owned.session_id, final."segmentIndex", final.channel, final."startSample", final."endSample",
        final."startMs", final."endMs", final.text, final.words, final.voiced,
        final."finalNumber", final."wordTimes"
      from owned, jsonb_to_recordset(${json(commit.segments)}::jsonb) as final(
        "segmentIndex" int4, channel int4, "startSample" int8, "endSample" int8, "startMs" int8, "endMs" int8,
        text text, words jsonb, voiced jsonb, "finalNumber" int4, "wordTimes" text)
      on conflict (session_id, segment_index) do nothing
      returning segment_index, final_number
    ), missing as (
      insert into audio_gaps (session_id, first_sample, end_sample, reason, channel)
      select owned.session_id, gap."firstSample", gap."endSample", gap.reason, coalesce(gap.channel, -1)
      from owned, jsonb_to_recordset(${json(commit.gaps ?? [])}::jsonb) as gap(
        "firstSample" int8, "endSample" int8, reason text, channel int4)
      on conflict (session_id, first_sample, channel) do nothing
      returning first_sample, channel
    ), news as (
      select session_id, room_name, event.*
      from owned, (
        select 'gap' as kind, null::int4 as segment_index, first_sample, channel, 0 as turn, first_sample as place
        from missing
        union all
        select 'final', segment_index, null, null, 1, final_number from written
      ) as event
    ), ${appendNews()}
    select room_name from owned`.execute(db);
  return rows[0]?.room_name;
}

/** The room; undefined when it had ended before, or is fenced. */
async function endOnce(db: Database, sessionId: string, epoch: number, end: SessionEnd) {
  const ended = db
    .updateTable("sessions")
    .set({
      state: "ended",
      end_reason: end.reason,
      end_time: end.endTime,
      duration_ms: end.durationMs,
      interview_id: end.interviewId ?? null,
      interrupt_time: null,
    })
    .where("session_id", "=", sessionId)
    .where("epoch", "=", epoch)
    .where("state", "<>", "ended")
    .returning(["session_id", "room_name"]);
  const { rows } = await sql<{ room_name: string }>`
    with ended as (${ended}), ${newsOf("ended", sql`ended`)}, ${appendNews()}
    select room_name from ended`.execute(db);
  return rows[0]?.room_name;
}

/** The update takes the row's lock: a commit of the older epoch is before it, and counts, or after it, and is fenced. */
function takeOverOnce(db: Database, request: TakeOverRequest) {
  const { encoding, sampleRateHz, channelCount } = request.format ?? {};
  return db
    .updateTable("sessions")
    .set({
      epoch: sql<number>`epoch + 1`,
      sequence_ceiling: sql<number>`sequence_ceiling + ${request.reservedNumbers}::int8`,
      state: "active",
      touch_time: sql<Date>`now()`,
      interrupt_time: null,
      end_reason: null,
      duration_ms: null,
    })
    .where("session_id", "=", request.sessionId)
    .where("resume_token_hash", "=", Buffer.from(request.resumeTokenHash))
    .where("user_id", "=", request.userId)
    .where("room_name", "=", request.roomName)
    .where("participant_identity", "=", request.participantIdentity)
    .where((row) =>
      row.or([row.eb("state", "=", "active"), row.eb("interrupt_time", ">=", ago(request.windowMs))]),
    )
    .where("state", "<>", "ended")
    .$if(sampleRateHz !== undefined, (query) => query.where("sample_rate_hz", "=", sampleRateHz ?? 0))
    .$if(channelCount !== undefined, (query) => query.where("channel_count", "=", channelCount ?? 0))
    .$if(encoding !== undefined, (query) => query.where(sql`stream_options ->> 'encoding'`, "=", encoding))
    .returningAll()
    .executeTakeFirst();
}

function ownedBySpeaker(db: Database, request: TakeOverRequest) {
  return db
    .selectFrom("sessions")
    .selectAll()
    .select(
      sql<boolean>`coalesce(coalesce(interrupt_time, end_time) >= ${ago(request.windowMs)}, state = 'active')`.as(
        "is_in_window",
      ),
    )
    .where("session_id", "=", request.sessionId)
    .where("resume_token_hash", "=", Buffer.from(request.resumeTokenHash))
    .where("user_id", "=", request.userId)
    .where("room_name", "=", request.roomName)
    .where("participant_identity", "=", request.participantIdentity);
}

/** Ids hold no comma. */
function isOneOf(sessionIds: readonly string[]) {
  return sql<boolean>`session_id = any(string_to_array(${sessionIds.join(",")}, ','))`;
}

function ago(ms: number) {
  return sql<Date>`now() - ${ms / 1000}::float8 * interval '1 second'`;
}

function fenced(): StorageError {
  return new StorageError("fenced", "the session has ended or is served elsewhere");
}

function toOpening(row: Selectable<SessionTable>): SessionOpening {
  return {
    resumeTokenHash: row.resume_token_hash ?? new Uint8Array(0),
    options: row.stream_options as StreamOptions,
    sequenceCeiling: row.sequence_ceiling,
  };
}
