/** The table `rooms`. */
import type { RoomStore, StoredRoom } from "../token/rooms/room-store.ts";
import { json } from "./storable-text.ts";
import type { Database } from "./tables.ts";

export function roomStore(db: Database): RoomStore {
  return {
    async create(room) {
      const inserted = await db
        .insertInto("rooms")
        .values({
          room_name: room.roomName,
          owner_user_id: room.ownerUserId,
          access: room.access,
          members: json(room.members),
          create_time: room.createTime,
        })
        .onConflict((conflict) => conflict.column("room_name").doNothing())
        .returning("room_name")
        .executeTakeFirst();
      return inserted !== undefined;
    },

    async get(roomName) {
      const row = await db
        .selectFrom("rooms")
        .selectAll()
        .where("room_name", "=", roomName)
        .executeTakeFirst();
      return (
        row && {
          roomName: row.room_name,
          ownerUserId: row.owner_user_id,
          access: row.access as StoredRoom["access"],
          members: row.members as StoredRoom["members"],
          createTime: row.create_time,
        }
      );
    },
  };
}
