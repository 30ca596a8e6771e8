/**
 * The tokens that the server lets in, one of each kind, made by hand: what hostile ones are made from, and what shows that a
 * place lets anybody in at all.
 */
import { randomUUID } from "node:crypto";
import { makeTokenId } from "../../src/token/revocation/token-id.ts";
import { canary } from "./canary.ts";
import { ecdsa, eddsa, hmac, rsa } from "./compact-token.ts";
import type { TokenParts } from "./compact-token.ts";
import { authorizedParty, jwtAudience, jwtIssuer, oidcAudience } from "./world.ts";
import type { World } from "./world.ts";

export interface GoodToken extends TokenParts {
  readonly name: string;
  readonly kind: TokenKind;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** Under which id the server knows whom it names. */
  readonly userId: string;
}

export type TokenKind = "login" | "issuer-login" | "participant" | "refresh";

export const goodTokenNames = [
  "a login of the shared secret",
  "a login of the first issuer",
  "a login of the second issuer",
  "a transcription token of the shared secret",
  "a transcription token of the server's key",
  "a refresh token",
] as const;
export type GoodTokenName = (typeof goodTokenNames)[number];

/** Times are those of the call, so that a token is fresh. */
export function goodToken(world: World, name: GoodTokenName): GoodToken {
  const { secrets, ownKey, issuers } = world;
  const [first, second] = issuers;
  const shared = { header: { alg: "HS256", typ: "JWT" }, sign: hmac(secrets.jwt) };
  switch (name) {
    case "a login of the shared secret":
      return { name, kind: "login", userId: "ada", ...shared, claims: loginClaims() };
    case "a login of the first issuer":
      return {
        name,
        kind: "issuer-login",
        userId: "ada",
        header: { alg: "RS256", typ: "JWT", kid: first.rsa.kid },
        claims: oidcClaims(first.server.issuer),
        sign: rsa(first.rsa.privateKey),
      };
    case "a login of the second issuer":
      return {
        name,
        kind: "issuer-login",
        userId: `oidc:${second.server.issuer.slice("http://".length).replace(":", "%3A")}:ada`,
        header: { alg: "ES256", typ: "at+jwt", kid: second.ec.kid },
        claims: oidcClaims(second.server.issuer),
        sign: ecdsa(second.ec.privateKey),
      };
    case "a transcription token of the shared secret":
      return { name, kind: "participant", userId: "ada", ...shared, claims: participantClaims() };
    case "a transcription token of the server's key":
      return {
        name,
        kind: "participant",
        userId: "ada",
        header: { alg: "EdDSA", typ: "JWT", kid: ownKey.kid },
        claims: participantClaims(),
        sign: eddsa(ownKey.privateKey),
      };
    case "a refresh token":
      return {
        name,
        kind: "refresh",
        userId: "ada",
        header: { alg: "HS256", typ: "refresh+jwt" },
        claims: refreshClaims(),
        sign: shared.sign,
      };
  }
}

/** The room of all participants. The user's own: see `openPlaces`. */
export const room = "talk";

function times() {
  const now = Math.floor(Date.now() / 1000);
  return { iat: now, nbf: now, exp: now + 3600 };
}

/** The canary comes first, so that every form of the token has it. */
function loginClaims() {
  return { canary, sub: "ada", iss: jwtIssuer, aud: "parley", ...times(), jti: randomUUID() };
}

function oidcClaims(issuer: string) {
  return { canary, sub: "ada", iss: issuer, aud: oidcAudience, azp: authorizedParty, ...times() };
}

function participantClaims() {
  return {
    canary,
    userId: "ada",
    roomName: room,
    participantIdentity: "ada",
    userType: "HOST",
    iss: jwtIssuer,
    aud: jwtAudience,
    ...times(),
    jti: makeTokenId(Date.now()),
  };
}

function refreshClaims() {
  const id = makeTokenId(Date.now());
  return {
    canary,
    sub: "ada",
    room,
    identity: "ada",
    userType: "host",
    targets: ["transcription"],
    fam: id,
    gen: 1,
    iss: jwtIssuer,
    aud: "parley-refresh",
    ...times(),
    jti: makeTokenId(Date.now()),
  };
}
