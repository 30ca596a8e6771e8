/** What a server signs with, and the key for trying it out: from the configuration, or made once where that is allowed. */
import { describeApiKey, parseApiKey } from "../api-keys/api-key.ts";
import { apiKeyScopes } from "../api-keys/api-key-store.ts";
import type { ApiKeyStore } from "../api-keys/api-key-store.ts";
import type { JwtSettings } from "./jwt-settings.ts";
import { readOrMakeLocalSecrets } from "./local-secrets.ts";

export interface ServerSecrets {
  readonly jwt: JwtSettings;
  /** Has every scope; absent in production. */
  readonly developmentApiKey?: string;
}

export interface SecretsConfig {
  readonly production: boolean;
  readonly dataDir: string;
  /** `secret` may be absent outside production only. */
  readonly jwt: Omit<JwtSettings, "secret"> & { readonly secret?: string };
}

export async function readServerSecrets({ production, dataDir, jwt }: SecretsConfig): Promise<ServerSecrets> {
  const { secret: given, ...rest } = jwt;
  if (production) {
    if (given === undefined) throw new Error("JWT_SECRET: expected to be set in production");
    return { jwt: { ...rest, secret: given } };
  }
  const { jwtSecret, developmentApiKey } = await readOrMakeLocalSecrets(dataDir);
  return { jwt: { ...rest, secret: given ?? jwtSecret }, developmentApiKey };
}

/** Sees to it that the database knows the key. */
export async function keepDevelopmentKey(apiKeys: ApiKeyStore, key: string): Promise<void> {
  const parsed = parseApiKey(key);
  if (!parsed || (await apiKeys.get(parsed.apiKeyId))) return;
  await apiKeys.create(describeApiKey(key, { displayName: "development", scopes: apiKeyScopes }, Date.now()));
}
