/** Tokens that were taken back, by what they have in common. */
import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("revocations")
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("of_user_id", "text", (column) => column.notNull())
    .addColumn("revoke_time", "timestamptz(3)", (column) => column.notNull())
    .addColumn("expire_time", "timestamptz(3)", (column) => column.notNull())
    .addPrimaryKeyConstraint("revocations_pkey", ["kind", "name", "of_user_id"])
    .execute();
  await db.schema.createIndex("revocations_expiry").on("revocations").column("expire_time").execute();
}
