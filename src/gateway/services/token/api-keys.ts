/** The API key RPCs of TokenService. */
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import { makeApiKey } from "../../../token/api-keys/api-key.ts";
import type { ApiKeyScope, ApiKeyStore, StoredApiKey } from "../../../token/api-keys/api-key-store.ts";
import { TokenRequestError } from "../../../token/token-error.ts";
import { readPage } from "../page.ts";

export interface ApiKeyDependencies {
  readonly apiKeys: ApiKeyStore;
  /** Sees to it that the key is refused from now on, on every replica. */
  readonly apiKeyRevoked: () => Promise<void>;
  readonly now: () => number;
}

type ApiKeyMethods = Pick<ServiceImpl<typeof TokenService>, "createApiKey" | "listApiKeys" | "revokeApiKey">;

export function apiKeyMethods({ apiKeys, apiKeyRevoked, now }: ApiKeyDependencies): ApiKeyMethods {
  return {
    async createApiKey(request) {
      const { key, stored } = makeApiKey(
        {
          displayName: request.displayName,
          scopes: request.scopes as ApiKeyScope[], // validation has let only these through
          ...(request.expireTime && { expireTime: timestampDate(request.expireTime) }),
        },
        now(),
      );
      await apiKeys.create(stored);
      return { key, apiKey: describe(stored) };
    },

    async listApiKeys(request) {
      const page = await apiKeys.list(readPage(request));
      return { apiKeys: page.items.map(describe), nextPageToken: page.next ?? "" };
    },

    async revokeApiKey(request) {
      const revoked = await apiKeys.revoke(request.apiKeyId, new Date(now()));
      if (!revoked) throw new TokenRequestError("not-found", "api_key_id: no such key");
      await apiKeyRevoked();
      return { apiKey: describe(revoked) };
    },
  };
}

function describe(key: StoredApiKey) {
  return {
    apiKeyId: key.apiKeyId,
    displayName: key.displayName,
    scopes: [...key.scopes],
    createTime: timestampFromDate(key.createTime),
    ...(key.expireTime && { expireTime: timestampFromDate(key.expireTime) }),
    ...(key.revokeTime && { revokeTime: timestampFromDate(key.revokeTime) }),
  };
}
