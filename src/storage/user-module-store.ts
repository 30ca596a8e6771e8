/** The table `user_modules`. */
import { sql } from "kysely";
import type { UserModuleStore } from "../analysis/user-module-store.ts";
import { json } from "./storable-text.ts";
import type { Database } from "./tables.ts";

export function userModuleStore(db: Database): UserModuleStore {
  return {
    saveWithin(module, maxOwned) {
      return db.transaction().execute(async (inside) => {
        // One save for a user after the other, so that each counts the ones before. The lock goes with the transaction.
        const lock = json(["user-modules", module.userId]);
        await sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`.execute(inside);
        const others = await inside
          .selectFrom("user_modules")
          .select(sql<number>`count(*)::int4`.as("count"))
          .where("user_id", "=", module.userId)
          .where("module_name", "!=", module.moduleName)
          .executeTakeFirstOrThrow();
        if (others.count >= maxOwned) return false;
        const changed = { document: json(module.document), update_time: module.updateTime };
        await inside
          .insertInto("user_modules")
          .values({ user_id: module.userId, module_name: module.moduleName, ...changed })
          .onConflict((conflict) => conflict.columns(["user_id", "module_name"]).doUpdateSet(changed))
          .execute();
        return true;
      });
    },

    async list(userId) {
      const rows = await db
        .selectFrom("user_modules")
        .selectAll()
        .where("user_id", "=", userId)
        .orderBy("module_name")
        .execute();
      return rows.map((row) => ({
        userId: row.user_id,
        moduleName: row.module_name,
        document: row.document as Record<string, unknown>,
        updateTime: row.update_time,
      }));
    },
  };
}
