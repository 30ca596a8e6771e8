/** The table `refresh_families`. */
import { sql } from "kysely";
import type { RefreshStore } from "../token/refresh/refresh-store.ts";
import type { Database } from "./tables.ts";

export function refreshStore(db: Database): RefreshStore {
  return {
    async spend({ familyId, generation, replicaId, expireTime }) {
      // The row's lock lets one of several through; the others see its generation when they come to compare theirs.
      const spent = await db
        .insertInto("refresh_families")
        .values({ family_id: familyId, generation, replica_id: replicaId, expire_time: expireTime })
        .onConflict((conflict) =>
          conflict
            .column("family_id")
            .doUpdateSet({ generation, replica_id: replicaId, spend_time: sql`clock_timestamp()` })
            .where("refresh_families.generation", "<", generation),
        )
        .returning("family_id")
        .executeTakeFirst();
      if (spent) return undefined;
      const before = await db
        .selectFrom("refresh_families")
        .select([
          "generation",
          "replica_id",
          sql<number>`(extract(epoch from clock_timestamp() - spend_time) * 1000)::float8`.as("ago_ms"),
        ])
        .where("family_id", "=", familyId)
        .executeTakeFirst();
      // Without a row it expired just now, and the family with it.
      return before
        ? { generation: before.generation, replicaId: before.replica_id, agoMs: before.ago_ms }
        : { generation, replicaId: "", agoMs: Infinity };
    },

    async deleteExpired(before) {
      await db.deleteFrom("refresh_families").where("expire_time", "<=", before).execute();
    },
  };
}
