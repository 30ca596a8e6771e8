/** The login of an app's user, signed with the shared secret: its claims, written and read. */
import { randomUUID } from "node:crypto";
import type { UserCaller } from "../caller.ts";
import type { JwtSettings } from "../keys/jwt-settings.ts";
import { keyRing } from "../keys/key-ring.ts";
import { signJwt } from "../jwt/sign-jwt.ts";
import type { Claims } from "../jwt/verify-jwt.ts";
import { isName, readName } from "../read-name.ts";
import type { IssuedToken } from "../targets/transcription/issue-token.ts";

/** Tells a user token from every other token that is signed with the same secret. */
export const userTokenAudience = "parley";

export interface UserTokenRequest {
  readonly userId: string;
  readonly displayName?: string;
  readonly email?: string;
  readonly ttlSeconds: number;
}

export function issueUserToken(request: UserTokenRequest, settings: JwtSettings, nowMs: number): IssuedToken {
  const now = Math.floor(nowMs / 1000);
  const exp = now + request.ttlSeconds;
  const claims = {
    sub: request.userId,
    ...(request.displayName === undefined ? {} : { name: request.displayName }),
    ...(request.email === undefined ? {} : { email: request.email }),
    iss: settings.issuer,
    aud: userTokenAudience,
    iat: now,
    nbf: now,
    exp,
    jti: randomUUID(),
  };
  return { token: signJwt(claims, keyRing(settings).user), expireTime: new Date(exp * 1000) };
}

/** `claims` are signed, in time, and have the right issuer and audience. Throws TokenError. */
export function readUserClaims(claims: Claims): UserCaller {
  const userId = readName(claims, "sub");
  return {
    kind: "user",
    userId,
    issuer: claims["iss"] as string,
    subject: userId,
    ...readPerson(claims),
    expireTime: new Date((claims["exp"] as number) * 1000),
  };
}

/** For people's eyes only, so what is no name and no address is left out and locks nobody out. */
export function readPerson(claims: Claims): { displayName?: string; email?: string } {
  const { name, email } = claims;
  return {
    ...(typeof name === "string" && isName(name) && { displayName: name }),
    ...(typeof email === "string" && isName(email) && /^[^@\s]+@[^@\s]+$/.test(email) && { email }),
  };
}
