/** The table `users`. */
import { sql } from "kysely";
import type { UserStore } from "../token/users/user-store.ts";
import type { Database } from "./tables.ts";

export function userStore(db: Database): UserStore {
  return {
    async see(user, now) {
      await db
        .insertInto("users")
        .values({
          user_id: user.userId,
          issuer: user.issuer,
          subject: user.subject,
          display_name: user.displayName ?? null,
          email: user.email ?? null,
          create_time: now,
          update_time: now,
        })
        .onConflict((conflict) =>
          // Nothing is written where nothing changed: every process sees every user once.
          conflict.column("user_id").doUpdateSet({
            display_name: sql<string>`coalesce(excluded.display_name, users.display_name)`,
            email: sql<string>`coalesce(excluded.email, users.email)`,
            update_time: sql<Date>`excluded.update_time`,
          }).where(sql<boolean>`
              coalesce(excluded.display_name, users.display_name) is distinct from users.display_name
              or coalesce(excluded.email, users.email) is distinct from users.email`),
        )
        .execute();
    },

    async get(userId) {
      const row = await db.selectFrom("users").selectAll().where("user_id", "=", userId).executeTakeFirst();
      return (
        row && {
          userId: row.user_id,
          issuer: row.issuer,
          subject: row.subject,
          ...(row.display_name !== null && { displayName: row.display_name }),
          ...(row.email !== null && { email: row.email }),
          createTime: row.create_time,
          updateTime: row.update_time,
        }
      );
    },
  };
}
