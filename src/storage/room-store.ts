/** The table `rooms`. */
import { sql } from "kysely";
import type { Selectable } from "kysely";
import type { RoomChange, RoomSelector, RoomStore, StoredRoom } from "../token/rooms/room-store.ts";
import { foldName } from "./fold-name.ts";
import { olderThan, readPageToken, rowsToFetch, toPage } from "./page-token.ts";
import { json } from "./storable-text.ts";
import type { Database, RoomTable } from "./tables.ts";

export function roomStore(db: Database): RoomStore {
  return {
    create: (room) => insert(db, room),

    async reserve(roomName, now) {
      await db
        .insertInto("rooms")
        .values({
          room_name: roomName,
          folded_name: foldName(roomName),
          owner_user_id: nobody,
          create_time: now,
          delete_time: now,
          ...toColumns({ access: "invited", members: [] }),
        })
        .onConflict((conflict) => conflict.column("room_name").doNothing())
        .execute();
    },

    createWithin(room, maxOwned, { overReserved = false } = {}) {
      return db.transaction().execute(async (inside) => {
        // One creation for an owner after the other, so that each counts the ones before. The lock goes with the transaction.
        const lock = json(["rooms", room.ownerUserId]);
        await sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`.execute(inside);
        const owned = await inside
          .selectFrom("rooms")
          .select(sql<number>`count(*)::int4`.as("count"))
          .where("owner_user_id", "=", room.ownerUserId)
          .where("delete_time", "is", null)
          .executeTakeFirstOrThrow();
        if (owned.count >= maxOwned) return "limit";
        return (await insert(inside, room, overReserved)) ? "created" : "taken";
      });
    },

    async get(roomName) {
      const row = await selectRoom(db, { roomName }).executeTakeFirst();
      return row && toRoom(row);
    },

    async firstAlike(roomName) {
      const row = await db
        .selectFrom("rooms")
        .select("room_name")
        .where("folded_name", "=", foldName(roomName))
        .orderBy("create_time")
        .orderBy("room_name")
        .limit(1)
        .executeTakeFirst();
      return row?.room_name;
    },

    async list({ ownerUserId }, page) {
      const after = readPageToken("rooms", page);
      let query = db
        .selectFrom("rooms")
        .selectAll()
        .where("delete_time", "is", null)
        .orderBy("create_time", "desc")
        .orderBy("room_name", "desc")
        .limit(rowsToFetch(page));
      if (ownerUserId !== undefined) query = query.where("owner_user_id", "=", ownerUserId);
      if (after) query = query.where(olderThan("room_name", after));
      const found = (await query.execute()).map(toRoom);
      return toPage("rooms", page, found, (room) => ({ createTime: room.createTime, id: room.roomName }));
    },

    update(selector, change) {
      return db.transaction().execute(async (inside) => {
        const row = await selectRoom(inside, selector).forUpdate().executeTakeFirst();
        if (!row) return undefined;
        const before = toRoom(row);
        const changed = await inside
          .updateTable("rooms")
          .set(toColumns({ ...before, ...change(before) }))
          .where("room_name", "=", row.room_name)
          .returningAll()
          .executeTakeFirstOrThrow();
        return { before, after: toRoom(changed) };
      });
    },

    async delete({ roomName, ownerUserId }, lost) {
      const deleted = await db
        .updateTable("rooms")
        .set({
          delete_time: sql<Date>`now()`,
          ...toColumns({ access: "invited", members: [] }),
          lost_rights: sql`lost_rights || ${json([lost])}::jsonb`,
        })
        .where("room_name", "=", roomName)
        .where("delete_time", "is", null)
        .$if(ownerUserId !== undefined, (query) => query.where("owner_user_id", "=", ownerUserId ?? ""))
        .returning("lost_rights")
        .executeTakeFirst();
      const row =
        deleted ??
        (await db
          .selectFrom("rooms")
          .select("lost_rights")
          .where("room_name", "=", roomName)
          .where("delete_time", "is not", null)
          .$if(ownerUserId !== undefined, (query) => query.where("owner_user_id", "=", ownerUserId ?? ""))
          .executeTakeFirst());
      return (row?.lost_rights ?? []) as NonNullable<StoredRoom["lostRights"]>;
    },

    async settle(roomName, lostRightIds) {
      await sql`
        update rooms
        set lost_rights = (
          select coalesce(jsonb_agg(lost), '[]'::jsonb) from jsonb_array_elements(lost_rights) as lost
          where not ${json(lostRightIds)}::jsonb ? (lost ->> 'lostRightId'))
        where room_name = ${roomName}`.execute(db);
    },
  };
}

/** The owner of a name that is only reserved: no user has this id. */
const nobody = "";

/** False when the name is taken: by a room, by another owner's that was deleted, or reserved. */
async function insert(db: Database, room: StoredRoom, overReserved = false): Promise<boolean> {
  const inserted = await db
    .insertInto("rooms")
    .values({
      room_name: room.roomName,
      folded_name: foldName(room.roomName),
      owner_user_id: room.ownerUserId,
      create_time: room.createTime,
      ...toColumns(room),
    })
    .onConflict((conflict) =>
      conflict
        .column("room_name")
        .doUpdateSet((row) => ({
          owner_user_id: row.ref("excluded.owner_user_id"),
          create_time: row.ref("excluded.create_time"),
          access: row.ref("excluded.access"),
          members: row.ref("excluded.members"),
          max_participants: row.ref("excluded.max_participants"),
          metadata: row.ref("excluded.metadata"),
          delete_time: null,
        }))
        .where("rooms.delete_time", "is not", null)
        .where((row) =>
          row.or([
            row("rooms.owner_user_id", "=", row.ref("excluded.owner_user_id")),
            ...(overReserved ? [row("rooms.owner_user_id", "=", nobody)] : []),
          ]),
        ),
    )
    .returning("room_name")
    .executeTakeFirst();
  return inserted !== undefined;
}

function selectRoom(db: Database, { roomName, ownerUserId }: RoomSelector) {
  return db
    .selectFrom("rooms")
    .selectAll()
    .where("room_name", "=", roomName)
    .where("delete_time", "is", null)
    .$if(ownerUserId !== undefined, (query) => query.where("owner_user_id", "=", ownerUserId ?? ""));
}

function toColumns(room: Required<Pick<StoredRoom, "access" | "members">> & RoomChange) {
  return {
    access: room.access,
    members: json(room.members),
    max_participants: room.maxParticipants ?? 0,
    metadata: room.metadata ?? "",
    lost_rights: json(room.lostRights ?? []),
  };
}

function toRoom(row: Selectable<RoomTable>): StoredRoom {
  const lostRights = row.lost_rights as NonNullable<StoredRoom["lostRights"]>;
  return {
    roomName: row.room_name,
    ownerUserId: row.owner_user_id,
    access: row.access as StoredRoom["access"],
    members: row.members as StoredRoom["members"],
    createTime: row.create_time,
    ...(row.max_participants > 0 && { maxParticipants: row.max_participants }),
    ...(row.metadata !== "" && { metadata: row.metadata }),
    ...(lostRights.length > 0 && { lostRights }),
  };
}
