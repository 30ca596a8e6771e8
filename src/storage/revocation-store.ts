/** The table `revocations`. */
import { sql } from "kysely";
import type { Selectable } from "kysely";
import type { RevocationSelector, RevocationStore } from "../token/revocation/revocation-store.ts";
import type { Database, RevocationTable } from "./tables.ts";

export function revocationStore(db: Database): RevocationStore {
  return {
    async keep({ selector, revokeTime, expireTime }) {
      await db
        .insertInto("revocations")
        .values({ ...toColumns(selector), revoke_time: revokeTime, expire_time: expireTime })
        .onConflict((conflict) =>
          conflict.columns(["kind", "name", "of_user_id"]).doUpdateSet({
            revoke_time: sql<Date>`greatest(revocations.revoke_time, excluded.revoke_time)`,
            expire_time: sql<Date>`greatest(revocations.expire_time, excluded.expire_time)`,
          }),
        )
        .execute();
    },

    async list(now) {
      const rows = await db.selectFrom("revocations").selectAll().where("expire_time", ">", now).execute();
      return rows.map((row) => ({
        selector: toSelector(row),
        revokeTime: row.revoke_time,
        expireTime: row.expire_time,
      }));
    },

    async deleteExpired(before) {
      await db.deleteFrom("revocations").where("expire_time", "<=", before).execute();
    },
  };
}

/** `of_user_id` is empty, which no user id is, where the revocation is not limited to a user's tokens. */
function toColumns(selector: RevocationSelector) {
  if ("tokenId" in selector) {
    return { kind: "token", name: selector.tokenId, of_user_id: selector.userId ?? "" };
  }
  return "roomName" in selector
    ? { kind: "room", name: selector.roomName, of_user_id: selector.userId ?? "" }
    : { kind: "user", name: selector.userId, of_user_id: "" };
}

function toSelector({ kind, name, of_user_id }: Selectable<RevocationTable>): RevocationSelector {
  if (kind === "user") return { userId: name };
  const ofUser = of_user_id === "" ? {} : { userId: of_user_id };
  return kind === "room" ? { roomName: name, ...ofUser } : { tokenId: name, ...ofUser };
}
