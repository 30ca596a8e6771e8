/**
 * API keys: `pk_<id>_<secret>`, the id 64 and the secret 256 random bits. The secret is stored as a SHA-256 hash, which is
 * enough for what cannot be guessed, and compared in constant time.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { ApiKeyScope, StoredApiKey } from "./api-key-store.ts";
import { decodeBase64url } from "../jwt/base64url.ts";

export interface NewApiKey {
  readonly displayName: string;
  readonly scopes: readonly ApiKeyScope[];
  readonly expireTime?: Date;
}

export interface ParsedApiKey {
  readonly apiKeyId: string;
  readonly secret: Buffer;
}

/** The key, which is shown once, and what is stored of it. */
export function makeApiKey(request: NewApiKey, nowMs: number): { key: string; stored: StoredApiKey } {
  const key = `pk_${randomBytes(8).toString("hex")}_${randomBytes(32).toString("base64url")}`;
  return { key, stored: describeApiKey(key, request, nowMs) };
}

/** What is stored of a key that exists already. Throws when it is not one. */
export function describeApiKey(key: string, request: NewApiKey, nowMs: number): StoredApiKey {
  const parsed = parseApiKey(key);
  if (!parsed) throw new TypeError("not an API key");
  return {
    apiKeyId: parsed.apiKeyId,
    displayName: request.displayName,
    scopes: request.scopes,
    secretHash: sha256(parsed.secret),
    createTime: new Date(nowMs),
    ...(request.expireTime === undefined ? {} : { expireTime: request.expireTime }),
  };
}

/** Undefined when the text is not a whole API key. */
export function parseApiKey(text: string): ParsedApiKey | undefined {
  const [, apiKeyId, secretText] = /^pk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/.exec(text) ?? [];
  if (apiKeyId === undefined || secretText === undefined) return undefined;
  const secret = decodeBase64url(secretText);
  return secret && { apiKeyId, secret };
}

export function matchesApiKey(secret: Buffer, stored: StoredApiKey, nowMs: number): boolean {
  const isSecret = timingSafeEqual(sha256(secret), stored.secretHash);
  const isExpired = stored.expireTime !== undefined && stored.expireTime.getTime() <= nowMs;
  return isSecret && !isExpired && stored.revokeTime === undefined;
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
