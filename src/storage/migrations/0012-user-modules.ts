/** Users' own documents, by name. */
import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("user_modules")
    .addColumn("user_id", "text", (column) => column.notNull())
    .addColumn("module_name", "text", (column) => column.notNull())
    .addColumn("document", "jsonb", (column) => column.notNull())
    .addColumn("update_time", "timestamptz(3)", (column) => column.notNull())
    .addPrimaryKeyConstraint("user_modules_pkey", ["user_id", "module_name"])
    .execute();
}
