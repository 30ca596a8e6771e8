/** Interviews and their reports. They name a session without referring to it: either may be erased first. */
import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("interviews")
    .addColumn("interview_id", "text", (column) => column.primaryKey())
    .addColumn("session_id", "text")
    .addColumn("user_id", "text", (column) => column.notNull())
    .addColumn("room_name", "text")
    .addColumn("case_question", "text")
    .addColumn("difficulty", "text")
    .addColumn("candidate_answer", "text")
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("failure_cause", "text")
    .addColumn("report", "jsonb")
    .addColumn("create_time", "timestamptz(3)", (column) => column.notNull())
    .addColumn("update_time", "timestamptz(3)", (column) => column.notNull())
    .execute();
  for (const prefix of [[], ["user_id"], ["session_id"]]) {
    await db.schema
      .createIndex(["interviews", ...prefix, "newest"].join("_"))
      .on("interviews")
      .columns([...prefix, "create_time", "interview_id"])
      .execute();
  }
}
