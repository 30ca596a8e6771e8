/**
 * The tables `audit_events` and `audit_head`. Whoever appends holds the one row of `audit_head` until they commit: it orders
 * the writers of all replicas, and it remembers the chain's end apart from the events, so that the next event shows when the
 * newest ones were taken away. (An advisory lock would order them as well, and remember nothing.)
 */
import { sql } from "kysely";
import type { Selectable, Transaction } from "kysely";
import type { AuditEvent, ChainLink } from "../token/audit/audit-event.ts";
import type { AuditStore } from "../token/audit/audit-store.ts";
import { readSequenceToken, rowsToFetch, toSequencePage } from "./page-token.ts";
import type { AuditEventTable, Database, Tables } from "./tables.ts";

export function auditStore(db: Database): AuditStore {
  return {
    append: (link, unlessStored) =>
      db.transaction().execute(async (transaction) => {
        const head = await lockHead(transaction);
        if (unlessStored && (await has(transaction, unlessStored))) return;
        await add(transaction, link(head));
      }),

    prune: ({ before, limit, seal }) =>
      db.transaction().execute(async (transaction) => {
        const head = await lockHead(transaction);
        const oldest = await transaction
          .selectFrom("audit_events")
          .select(["sequence", "hash", "create_time"])
          .orderBy("sequence")
          .limit(limit)
          .execute();
        const firstToStay = oldest.findIndex((row) => row.create_time >= before);
        const removed = firstToStay === -1 ? oldest : oldest.slice(0, firstToStay);
        const last = removed.at(-1);
        if (!last) return 0;
        await remove(transaction, last.sequence);
        await add(transaction, [seal(head, toLink(last))]);
        return removed.length;
      }),

    async list({ actor }, page) {
      const after = readSequenceToken("audit", page);
      let query = db.selectFrom("audit_events").selectAll().orderBy("sequence").limit(rowsToFetch(page));
      if (actor !== undefined) query = query.where("actor", "=", actor);
      if (after !== undefined) query = query.where("sequence", ">", after);
      const found = (await query.execute()).map(toEvent);
      return toSequencePage("audit", page, found, (event) => event.sequence);
    },

    async head() {
      return toLink(await db.selectFrom("audit_head").selectAll().executeTakeFirstOrThrow());
    },
  };
}

/** From here to the end of the transaction nobody else appends. */
async function lockHead(transaction: Transaction<Tables>): Promise<ChainLink> {
  return toLink(await transaction.selectFrom("audit_head").selectAll().forUpdate().executeTakeFirstOrThrow());
}

async function has(transaction: Transaction<Tables>, { sequence, hash }: ChainLink): Promise<boolean> {
  const row = await transaction
    .selectFrom("audit_events")
    .select("hash")
    .where("sequence", "=", sequence)
    .executeTakeFirst();
  return row !== undefined && Buffer.compare(row.hash, hash) === 0;
}

async function add(transaction: Transaction<Tables>, events: readonly AuditEvent[]): Promise<void> {
  const head = events.at(-1);
  if (!head) return;
  await transaction.insertInto("audit_events").values(events.map(toRow)).execute();
  await transaction.updateTable("audit_head").set({ sequence: head.sequence, hash: head.hash }).execute();
}

/** The table lets nothing else be deleted than what the setting names, which ends with the transaction. */
async function remove(transaction: Transaction<Tables>, throughSequence: number): Promise<void> {
  await sql`select set_config('parley.audit_prune_through', ${String(throughSequence)}, true)`.execute(
    transaction,
  );
  await transaction.deleteFrom("audit_events").where("sequence", "<=", throughSequence).execute();
}

function toRow(event: AuditEvent) {
  return {
    sequence: event.sequence,
    create_time: event.createTime,
    actor: event.actor,
    action: event.action,
    subject: event.subject,
    outcome: event.outcome,
    peer_address: event.peerAddress,
    hash: event.hash,
    previous_hash: event.previousHash,
  };
}

function toEvent(row: Selectable<AuditEventTable>): AuditEvent {
  return {
    ...toLink(row),
    createTime: row.create_time,
    actor: row.actor,
    action: row.action,
    subject: row.subject,
    outcome: row.outcome,
    peerAddress: row.peer_address,
    previousHash: new Uint8Array(row.previous_hash),
  };
}

function toLink({ sequence, hash }: { sequence: number; hash: Uint8Array }): ChainLink {
  return { sequence, hash: new Uint8Array(hash) };
}
