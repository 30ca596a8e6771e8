/** Rooms, by name. */
import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("rooms")
    .addColumn("room_name", "text", (column) => column.primaryKey())
    .addColumn("owner_user_id", "text", (column) => column.notNull())
    .addColumn("access", "text", (column) => column.notNull())
    .addColumn("members", "jsonb", (column) => column.notNull())
    .addColumn("create_time", "timestamptz(3)", (column) => column.notNull())
    .execute();
}
