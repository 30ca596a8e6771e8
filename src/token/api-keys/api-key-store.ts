/** What API keys need of a database. Implemented in storage/. The secret itself never gets here. */
import type { Page, PageRequest } from "../../page.ts";

export const apiKeyScopes = ["tokens", "rooms", "transcripts", "analysis", "stats", "admin"] as const;
export type ApiKeyScope = (typeof apiKeyScopes)[number];

export interface StoredApiKey {
  /** The part between `pk_` and the secret. */
  readonly apiKeyId: string;
  readonly displayName: string;
  readonly scopes: readonly ApiKeyScope[];
  /** SHA-256 of the secret, which is 256 random bits. */
  readonly secretHash: Uint8Array;
  readonly createTime: Date;
  readonly expireTime?: Date;
  readonly revokeTime?: Date;
}

export interface ApiKeyStore {
  create(key: StoredApiKey): Promise<void>;
  /** Also revoked and expired ones. */
  get(apiKeyId: string): Promise<StoredApiKey | undefined>;
  /** Newest first. */
  list(page: PageRequest): Promise<Page<StoredApiKey>>;
  /** Keeps the time of the first revocation. Undefined when there is no such key. */
  revoke(apiKeyId: string, revokeTime: Date): Promise<StoredApiKey | undefined>;
}
