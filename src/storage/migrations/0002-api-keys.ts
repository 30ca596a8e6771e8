/** API keys, hashed. */
import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("api_keys")
    .addColumn("api_key_id", "text", (column) => column.primaryKey())
    .addColumn("display_name", "text", (column) => column.notNull())
    .addColumn("scopes", "jsonb", (column) => column.notNull())
    .addColumn("secret_hash", "bytea", (column) => column.notNull())
    .addColumn("create_time", "timestamptz(3)", (column) => column.notNull())
    .addColumn("expire_time", "timestamptz(3)")
    .addColumn("revoke_time", "timestamptz(3)")
    .execute();
  await db.schema
    .createIndex("api_keys_newest")
    .on("api_keys")
    .columns(["create_time", "api_key_id"])
    .execute();
}
