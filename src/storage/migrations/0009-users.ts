/** Users, by the id under which they are known here. */
import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("users")
    .addColumn("user_id", "text", (column) => column.primaryKey())
    .addColumn("issuer", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("display_name", "text")
    .addColumn("email", "text")
    .addColumn("create_time", "timestamptz(3)", (column) => column.notNull())
    .addColumn("update_time", "timestamptz(3)", (column) => column.notNull())
    .execute();
}
