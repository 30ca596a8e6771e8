/** Sessions and their finals. */
import type { Kysely } from "kysely";
import { sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("sessions")
    .addColumn("session_id", "text", (column) => column.primaryKey())
    .addColumn("room_name", "text", (column) => column.notNull())
    .addColumn("participant_identity", "text", (column) => column.notNull())
    .addColumn("user_id", "text", (column) => column.notNull())
    .addColumn("sample_rate_hz", "integer", (column) => column.notNull())
    .addColumn("channel_count", "integer", (column) => column.notNull())
    .addColumn("language_code", "text", (column) => column.notNull())
    .addColumn("engine", "text", (column) => column.notNull())
    .addColumn("word_times", "text", (column) => column.notNull())
    .addColumn("fillers", "text", (column) => column.notNull())
    .addColumn("create_time", "timestamptz(3)", (column) => column.notNull())
    .addColumn("touch_time", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
    .addColumn("state", "text", (column) => column.notNull().defaultTo("active"))
    .addColumn("epoch", "integer", (column) => column.notNull().defaultTo(1))
    .addColumn("committed_through", "int8", (column) => column.notNull().defaultTo(0))
    .addColumn("end_reason", "text")
    .addColumn("end_time", "timestamptz(3)")
    .addColumn("duration_ms", "int8")
    .addColumn("interview_id", "text")
    .execute();
  for (const prefix of [[], ["user_id"], ["room_name"]]) {
    await db.schema
      .createIndex(["sessions", ...prefix, "newest"].join("_"))
      .on("sessions")
      .columns([...prefix, "create_time", "session_id"])
      .execute();
  }
  await db.schema
    .createIndex("sessions_active_touch_time")
    .on("sessions")
    .column("touch_time")
    .where(sql.ref("state"), "=", sql.lit("active"))
    .execute();

  await db.schema
    .createTable("segments")
    .addColumn("session_id", "text", (column) =>
      column.notNull().references("sessions.session_id").onDelete("cascade"),
    )
    .addColumn("segment_index", "integer", (column) => column.notNull())
    .addColumn("channel", "integer", (column) => column.notNull())
    .addColumn("start_sample", "int8", (column) => column.notNull())
    .addColumn("end_sample", "int8", (column) => column.notNull())
    .addColumn("start_ms", "int8", (column) => column.notNull())
    .addColumn("end_ms", "int8", (column) => column.notNull())
    .addColumn("text", "text", (column) => column.notNull())
    .addColumn("words", "jsonb", (column) => column.notNull())
    .addColumn("voiced", "jsonb", (column) => column.notNull())
    .addPrimaryKeyConstraint("segments_pkey", ["session_id", "segment_index"])
    .execute();
}
