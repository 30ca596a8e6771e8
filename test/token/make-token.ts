/** Tokens made by hand, good and bad, so that tests do not rest on the code that they test. */
import { createHmac } from "node:crypto";
import type { JwtSettings } from "../../src/token/keys/jwt-settings.ts";

export const secret = "a-secret-of-more-than-thirty-two-bytes";
export const nowMs = Date.parse("2026-01-02T03:04:05Z");
export const now = nowMs / 1000;

export const settings: JwtSettings = {
  secret,
  issuer: "interview-backend",
  audience: "transcription-service",
  expirySeconds: 7200,
};

export const header = { alg: "HS256", typ: "JWT" };

export const transcriptionClaims = {
  userId: "ada",
  roomName: "room",
  participantIdentity: "ada",
  userType: "HOST",
  iss: settings.issuer,
  aud: settings.audience,
  iat: now,
  nbf: now,
  exp: now + 7200,
  jti: "token-1",
};

export const userClaims = { sub: "ada", iss: settings.issuer, aud: "parley", iat: now, exp: now + 3600 };

export function base64url(value: string | Uint8Array): string {
  return Buffer.from(value).toString("base64url");
}

/** Signs two encoded parts with HS256, whatever is in them. */
export function signParts(headerPart: string, payloadPart: string, key = secret): string {
  const input = `${headerPart}.${payloadPart}`;
  return `${input}.${createHmac("sha256", key).update(input).digest("base64url")}`;
}

/** Texts are taken as they are; anything else is written as JSON. */
export function makeToken(payload: unknown, head: unknown = header, key = secret): string {
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  return signParts(base64url(text(head)), base64url(text(payload)), key);
}

export function without<T extends object, K extends keyof T>(value: T, ...keys: K[]): Omit<T, K> {
  const copy = { ...value };
  for (const key of keys) Reflect.deleteProperty(copy, key);
  return copy;
}
