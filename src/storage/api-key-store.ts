/** The table `api_keys`. It never sees a secret, only its hash. */
import { sql } from "kysely";
import type { Selectable } from "kysely";
import type { ApiKeyStore, StoredApiKey } from "../token/api-keys/api-key-store.ts";
import { olderThan, readPageToken, rowsToFetch, toPage } from "./page-token.ts";
import { json } from "./storable-text.ts";
import type { ApiKeyTable, Database } from "./tables.ts";

export function apiKeyStore(db: Database): ApiKeyStore {
  return {
    async create(key) {
      await db
        .insertInto("api_keys")
        .values({
          api_key_id: key.apiKeyId,
          display_name: key.displayName,
          scopes: json(key.scopes),
          secret_hash: key.secretHash,
          create_time: key.createTime,
          expire_time: key.expireTime ?? null,
          revoke_time: key.revokeTime ?? null,
        })
        .execute();
    },

    async get(apiKeyId) {
      const row = await db
        .selectFrom("api_keys")
        .selectAll()
        .where("api_key_id", "=", apiKeyId)
        .executeTakeFirst();
      return row && toApiKey(row);
    },

    async list(page) {
      const after = readPageToken("api-keys", page);
      let query = db
        .selectFrom("api_keys")
        .selectAll()
        .orderBy("create_time", "desc")
        .orderBy("api_key_id", "desc")
        .limit(rowsToFetch(page));
      if (after) query = query.where(olderThan("api_key_id", after));
      const found = (await query.execute()).map(toApiKey);
      return toPage("api-keys", page, found, (key) => ({ createTime: key.createTime, id: key.apiKeyId }));
    },

    async revoke(apiKeyId, revokeTime) {
      const row = await db
        .updateTable("api_keys")
        .set({ revoke_time: sql<Date>`coalesce(revoke_time, ${revokeTime}::timestamptz)` })
        .where("api_key_id", "=", apiKeyId)
        .returningAll()
        .executeTakeFirst();
      return row && toApiKey(row);
    },
  };
}

function toApiKey(row: Selectable<ApiKeyTable>): StoredApiKey {
  return {
    apiKeyId: row.api_key_id,
    displayName: row.display_name,
    scopes: row.scopes as StoredApiKey["scopes"],
    secretHash: new Uint8Array(row.secret_hash),
    createTime: row.create_time,
    ...(row.expire_time !== null && { expireTime: row.expire_time }),
    ...(row.revoke_time !== null && { revokeTime: row.revoke_time }),
  };
}
