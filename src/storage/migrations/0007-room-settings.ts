/** What a room is set to, what was lost in it, and rooms that were deleted, whose names stay taken. */
import type { Kysely } from "kysely";
import { sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("rooms")
    // 0: no limit.
    .addColumn("max_participants", "integer", (column) => column.notNull().defaultTo(0))
    .addColumn("metadata", "text", (column) => column.notNull().defaultTo(""))
    .addColumn("lost_rights", "jsonb", (column) => column.notNull().defaultTo(sql`'[]'::jsonb`))
    .addColumn("delete_time", "timestamptz(3)")
    .execute();
  for (const prefix of [[], ["owner_user_id"]]) {
    await db.schema
      .createIndex(["rooms", ...prefix, "newest"].join("_"))
      .on("rooms")
      .columns([...prefix, "create_time", "room_name"])
      .where(sql.ref("delete_time"), "is", null)
      .execute();
  }
}
