/** How far the refresh tokens of each family were spent. */
import type { Kysely } from "kysely";
import { sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("refresh_families")
    .addColumn("family_id", "text", (column) => column.primaryKey())
    .addColumn("generation", "integer", (column) => column.notNull())
    .addColumn("replica_id", "text", (column) => column.notNull())
    .addColumn("spend_time", "timestamptz", (column) => column.notNull().defaultTo(sql`clock_timestamp()`))
    .addColumn("expire_time", "timestamptz(3)", (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("refresh_families_expiry")
    .on("refresh_families")
    .column("expire_time")
    .execute();
}
