/**
 * The audit log: its events, and one row that says where their chain ends. The table of events refuses to be changed: by
 * mistake, by a defect or by whoever may write to it. Its owner can take the triggers away; what is changed then is found by
 * the hashes.
 */
import type { Kysely } from "kysely";
import { sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("audit_events")
    .addColumn("sequence", "int8", (column) => column.primaryKey())
    .addColumn("create_time", "timestamptz(3)", (column) => column.notNull())
    .addColumn("actor", "text", (column) => column.notNull())
    .addColumn("action", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("outcome", "text", (column) => column.notNull())
    .addColumn("peer_address", "text", (column) => column.notNull())
    .addColumn("hash", "bytea", (column) => column.notNull())
    .addColumn("previous_hash", "bytea", (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("audit_events_actor")
    .on("audit_events")
    .columns(["actor", "sequence"])
    .execute();
  await db.schema
    .createTable("audit_head")
    .addColumn("is_only", "boolean", (column) =>
      column
        .primaryKey()
        .defaultTo(true)
        .check(sql`is_only`),
    )
    .addColumn("sequence", "int8", (column) => column.notNull())
    .addColumn("hash", "bytea", (column) => column.notNull())
    .execute();
  await sql`insert into audit_head (sequence, hash) values (0, decode(repeat('00', 32), 'hex'))`.execute(db);
  await refuseChanges(db);
}

/** Retention sets `parley.audit_prune_through`, for one transaction, to the newest event that it removes. */
async function refuseChanges(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function audit_events_refuse_change() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE'
        and old.sequence <= nullif(current_setting('parley.audit_prune_through', true), '')::int8
      then
        return old;
      end if;
      raise exception 'audit events are never changed' using errcode = 'restrict_violation';
    end
    $$`.execute(db);
  await sql`
    create trigger audit_events_no_change before update or truncate on audit_events
    for each statement execute function audit_events_refuse_change()`.execute(db);
  await sql`
    create trigger audit_events_no_delete before delete on audit_events
    for each row execute function audit_events_refuse_change()`.execute(db);
}
