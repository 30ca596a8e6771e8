/** The secret with which a broken stream is continued. Only its hash is stored; being random, it needs no salt. */
import { createHash, randomBytes } from "node:crypto";

/** 256 bits, in base64url. */
export function createResumeToken(): string {
  return randomBytes(32).toString("base64url");
}

/** SHA-256. */
export function hashResumeToken(resumeToken: string): Uint8Array {
  return createHash("sha256").update(resumeToken).digest();
}
