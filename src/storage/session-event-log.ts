/** The tables `room_logs` and `session_events`, read; they are written with what they tell of, by session-store.ts. */
import type { Selectable } from "kysely";
import type { LoggedEvent, SessionEventLog } from "../transcription/watch/session-event-log.ts";
import { toGap, toSegment, toSession } from "./session-rows.ts";
import type { Database, SessionEventTable, SessionTable } from "./tables.ts";

export function sessionEventLog(db: Database): Omit<SessionEventLog, "onAppended"> {
  return {
    async head(roomName) {
      const row = await db
        .selectFrom("room_logs")
        .select("position")
        .where("room_name", "=", roomName)
        .executeTakeFirst();
      return row?.position ?? 0;
    },

    async read({ roomName, sessionId, after, limit }) {
      let query = db
        .selectFrom("session_events")
        .selectAll()
        .where("room_name", "=", roomName)
        .where("position", ">", after)
        .orderBy("position")
        .limit(limit);
      if (sessionId !== undefined) query = query.where("session_id", "=", sessionId);
      const rows = await query.execute();
      const through = rows.at(-1)?.position;
      if (through === undefined) return { events: [], through: after, hasMore: false };
      const details = await readDetails(db, rows);
      return {
        events: rows.flatMap((row) => toEvent(row, details)),
        through,
        hasMore: rows.length === limit,
      };
    },
  };
}

interface Details {
  readonly sessions: ReadonlyMap<string, Selectable<SessionTable>>;
  readonly segments: ReadonlyMap<string, ReturnType<typeof toSegment>>;
  readonly gaps: ReadonlyMap<string, ReturnType<typeof toGap>>;
}

/** What the events are about; what was erased since is left out. */
async function readDetails(db: Database, rows: readonly Selectable<SessionEventTable>[]): Promise<Details> {
  const sessionIds = [...new Set(rows.map((row) => row.session_id))];
  const finals = rows.filter((row) => row.kind === "final");
  const gaps = rows.filter((row) => row.kind === "gap");
  const [sessionRows, segmentRows, gapRows] = await Promise.all([
    db.selectFrom("sessions").selectAll().where("session_id", "in", sessionIds).execute(),
    finals.length === 0
      ? []
      : db
          .selectFrom("segments")
          .innerJoin("sessions", "sessions.session_id", "segments.session_id")
          .selectAll("segments")
          .select("sessions.word_times as session_word_times")
          .where((row) =>
            row(
              row.refTuple("segments.session_id", "segment_index"),
              "in",
              finals.map((final) => row.tuple(final.session_id, final.segment_index ?? -1)),
            ),
          )
          .execute(),
    gaps.length === 0
      ? []
      : db
          .selectFrom("audio_gaps")
          .selectAll()
          .where((row) =>
            row(
              row.refTuple("session_id", "first_sample", "channel"),
              "in",
              gaps.map((gap) => row.tuple(gap.session_id, gap.first_sample ?? -1, gap.channel ?? -1)),
            ),
          )
          .execute(),
  ]);
  return {
    sessions: new Map(sessionRows.map((row) => [row.session_id, row])),
    segments: new Map(segmentRows.map((row) => [keyOf(row.session_id, row.segment_index), toSegment(row)])),
    gaps: new Map(gapRows.map((row) => [keyOf(row.session_id, row.first_sample, row.channel), toGap(row)])),
  };
}

function toEvent(row: Selectable<SessionEventTable>, details: Details): LoggedEvent[] {
  const session = details.sessions.get(row.session_id);
  if (!session) return [];
  const common = { position: row.position, session: toSession(session) };
  switch (row.kind) {
    case "final": {
      const segment = details.segments.get(keyOf(row.session_id, row.segment_index));
      return segment ? [{ ...common, kind: "final", segment }] : [];
    }
    case "gap": {
      const gap = details.gaps.get(keyOf(row.session_id, row.first_sample, row.channel));
      return gap ? [{ ...common, kind: "gap", gap }] : [];
    }
    default:
      return [{ ...common, kind: row.kind as "started" | "ended" }];
  }
}

function keyOf(...parts: readonly unknown[]): string {
  return JSON.stringify(parts);
}
