/** Fetches an issuer's keys from where its configuration or its discovery document says; a token has no say in it. */
import type { VerificationKey } from "../../jwt/jwt-key.ts";
import { fetchJson } from "./fetch-json.ts";
import type { FetchJsonOptions } from "./fetch-json.ts";
import { discoveryName, discoveryUrl, readDiscovery } from "./read-discovery.ts";
import { keySetName, readKeySet } from "./read-key-set.ts";

export interface OidcIssuer {
  /** As its tokens name it in `iss`. */
  readonly issuer: string;
  /** Where its keys are; absent: where its discovery document says. */
  readonly jwksUrl?: string;
}

export interface LoadedKeys {
  readonly keys: readonly VerificationKey[];
  /** What the clock of the server that has them says, in milliseconds since the epoch. Absent: it does not say. */
  readonly serverTimeMs?: number;
}

/** Rejects with IssuerError. */
export async function findJwksUrl(
  { issuer, jwksUrl }: OidcIssuer,
  options: FetchJsonOptions,
): Promise<string> {
  if (jwksUrl !== undefined) return jwksUrl;
  const { json } = await fetchJson(discoveryUrl(issuer), discoveryName, options);
  return readDiscovery(json, issuer);
}

/** Rejects with IssuerError. */
export async function loadKeys(jwksUrl: string, options: FetchJsonOptions): Promise<LoadedKeys> {
  const { json, ...rest } = await fetchJson(jwksUrl, keySetName, options);
  return { keys: readKeySet(json), ...rest };
}
