/** What watchers replay: in each room a row for each thing that stays of its sessions, numbered in the order of commits. */
import type { Kysely } from "kysely";
import { sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  // How many there ever were. Its lock, held until the commit, makes the numbers the order of commits.
  await db.schema
    .createTable("room_logs")
    .addColumn("room_name", "text", (column) => column.primaryKey())
    .addColumn("position", "int8", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("session_events")
    .addColumn("room_name", "text", (column) => column.notNull())
    .addColumn("position", "int8", (column) => column.notNull())
    .addColumn("session_id", "text", (column) =>
      column.notNull().references("sessions.session_id").onDelete("cascade"),
    )
    .addColumn("kind", "text", (column) => column.notNull())
    // Of a final.
    .addColumn("segment_index", "integer")
    // Of a gap.
    .addColumn("first_sample", "int8")
    .addColumn("channel", "integer")
    .addPrimaryKeyConstraint("session_events_pkey", ["room_name", "position"])
    .execute();
  await db.schema
    .createIndex("session_events_session")
    .on("session_events")
    .columns(["session_id", "position"])
    .execute();
  await addWhatIsThere(db);
}

/** Sessions that are older than the table, one after the other. */
async function addWhatIsThere(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into session_events (room_name, position, session_id, kind, segment_index, first_sample, channel)
    select room_name, row_number() over (partition by room_name order by create_time, session_id, turn, place),
      session_id, kind, segment_index, first_sample, channel
    from sessions join (
      select session_id, 'started' as kind, null::int4 as segment_index, null::int8 as first_sample,
        null::int4 as channel, 0 as turn, 0::int8 as place
      from sessions
      union all
      select session_id, 'gap', null, first_sample, channel, 1, first_sample from audio_gaps
      union all
      select session_id, 'final', segment_index, null, null, 2, coalesce(final_number, segment_index + 1)
      from segments
      union all
      select session_id, 'ended', null, null, null, 3, 0 from sessions where state = 'ended'
    ) as event using (session_id)`.execute(db);
  await sql`
    insert into room_logs (room_name, position)
    select room_name, count(*) from session_events group by room_name`.execute(db);
}
