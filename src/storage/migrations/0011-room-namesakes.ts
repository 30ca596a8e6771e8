/** By which name a room is another one's namesake, for servers that do not tell upper from lower case. */
import type { Kysely } from "kysely";
import { foldName } from "../fold-name.ts";

interface Rooms {
  rooms: { room_name: string; folded_name: string };
}

export async function up(db: Kysely<Rooms>): Promise<void> {
  await db.schema
    .alterTable("rooms")
    .addColumn("folded_name", "text", (column) => column.notNull().defaultTo(""))
    .execute();
  // JavaScript's rules, not those of whatever locale the database has.
  for (const { room_name: roomName } of await db.selectFrom("rooms").select("room_name").execute()) {
    await db
      .updateTable("rooms")
      .set({ folded_name: foldName(roomName) })
      .where("room_name", "=", roomName)
      .execute();
  }
  await db.schema
    .alterTable("rooms")
    .alterColumn("folded_name", (column) => column.dropDefault())
    .execute();
  await db.schema
    .createIndex("rooms_namesakes")
    .on("rooms")
    .columns(["folded_name", "create_time", "room_name"])
    .execute();
}
