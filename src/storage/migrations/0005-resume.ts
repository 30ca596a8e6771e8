/** What it takes to continue a session: who may, how it was opened, in which order finals were committed, what is lost. */
import type { Kysely } from "kysely";
import { sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("sessions")
    // Null for sessions that were opened before they could be continued.
    .addColumn("resume_token_hash", "bytea")
    .addColumn("stream_options", "jsonb")
    .addColumn("sequence_ceiling", "int8", (column) => column.notNull().defaultTo(0))
    .addColumn("interrupt_time", "timestamptz")
    .execute();
  await db.schema.alterTable("segments").addColumn("final_number", "integer").execute();
  await db.schema.alterTable("segments").addColumn("word_times", "text").execute();
  await db.schema
    .createIndex("sessions_interrupt_time")
    .on("sessions")
    .column("interrupt_time")
    .where(sql.ref("state"), "=", sql.lit("interrupted"))
    .execute();
  await db.schema
    .createTable("audio_gaps")
    .addColumn("session_id", "text", (column) =>
      column.notNull().references("sessions.session_id").onDelete("cascade"),
    )
    .addColumn("first_sample", "int8", (column) => column.notNull())
    .addColumn("end_sample", "int8", (column) => column.notNull())
    .addColumn("reason", "text", (column) => column.notNull())
    // -1: all channels.
    .addColumn("channel", "integer", (column) => column.notNull())
    .addPrimaryKeyConstraint("audio_gaps_pkey", ["session_id", "first_sample", "channel"])
    .execute();
}
