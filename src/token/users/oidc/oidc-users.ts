/**
 * Users who logged in elsewhere: verifies the access tokens of the configured OpenID Connect issuers, Clerk's session tokens
 * among them. A token only says which of the issuers is its own; what it is verified with, and where that comes from, is
 * that issuer's.
 *
 * Tokens may live for 24 hours, as all others here: one without an end that is near could not be taken back.
 */
import type { Clock } from "../../../clock.ts";
import type { UserCaller } from "../../caller.ts";
import { asymmetricAlgorithms } from "../../jwt/jwt-key.ts";
import type { VerificationKey } from "../../jwt/jwt-key.ts";
import { checkTimes, peekToken, readSignedClaims } from "../../jwt/verify-jwt.ts";
import type { Claims } from "../../jwt/verify-jwt.ts";
import { maxLifetimeSeconds } from "../../keys/jwt-settings.ts";
import { TokenError } from "../../token-error.ts";
import { readPerson } from "../user-token.ts";
import { accessTokenTypes, checkAccessToken } from "./check-access-token.ts";
import type { AudienceRule } from "./check-access-token.ts";
import { IssuerKeys } from "./issuer-keys.ts";
import type { IssuerHealth } from "./issuer-keys.ts";
import type { OidcIssuer } from "./load-keys.ts";
import { issuerName, nameUser } from "./name-user.ts";

export interface OidcUsersOptions extends AudienceRule {
  /** The users of the first keep their `sub` as their id. */
  readonly issuers: readonly OidcIssuer[];
  readonly clock: Clock;
  /** Something an operator should see; `issuer` as configured. */
  readonly onProblem: (issuer: string, problem: string, error: unknown) => void;
}

interface KnownIssuer {
  readonly isFirst: boolean;
  readonly name: string;
  readonly keys: IssuerKeys;
}

export class OidcUsers {
  readonly #rule: AudienceRule;
  readonly #issuers: ReadonlyMap<string, KnownIssuer>;

  /** Throws when the options would let in tokens that are for others, or confuse users. */
  constructor({ issuers, clock, onProblem, ...rule }: OidcUsersOptions) {
    if (rule.audience === undefined && rule.authorizedParties.length === 0)
      throw new Error("OIDC_AUDIENCE: expected to be set, or OIDC_AUTHORIZED_PARTIES, since OIDC_ISSUERS is");
    if (new Set(issuers.map(({ issuer }) => issuerName(issuer))).size < issuers.length)
      throw new Error("OIDC_ISSUERS: expected issuers that differ in more than the scheme or a final slash");
    this.#rule = rule;
    this.#issuers = new Map(
      issuers.map((issuer, index) => [
        issuer.issuer,
        {
          isFirst: index === 0,
          name: issuerName(issuer.issuer),
          keys: new IssuerKeys({
            issuer,
            clock,
            onProblem: (problem, error) => onProblem(issuer.issuer, problem, error),
          }),
        },
      ]),
    );
  }

  /**
   * Whose access token it is. `nowMs`: milliseconds since the epoch. Throws TokenError; rejects with IssuerError when the
   * issuer's keys cannot be had and were not had within the last day.
   */
  async verify(token: string, nowMs: number): Promise<UserCaller> {
    const { header, claims: unverified } = peekToken(token);
    if (!isAsymmetric(header["alg"])) throw new TokenError("algorithm", "not an algorithm of issuers");
    const { iss } = unverified;
    const issuer = typeof iss === "string" ? this.#issuers.get(iss) : undefined;
    if (typeof iss !== "string" || !issuer) throw new TokenError("issuer", "the issuer is another one");
    const claims = await readClaims(token, header["kid"], issuer.keys);
    checkTimes(claims, { nowMs, maxLifetimeSeconds });
    checkAccessToken(claims, this.#rule);
    return {
      kind: "user",
      userId: nameUser(claims, issuer),
      issuer: iss,
      subject: claims["sub"] as string,
      ...readOidcPerson(claims),
      expireTime: new Date((claims["exp"] as number) * 1000),
    };
  }

  health(): readonly IssuerHealth[] {
    return [...this.#issuers.values()].map(({ keys }) => keys.health());
  }

  /** Gives up what is being fetched. */
  close(): void {
    for (const { keys } of this.#issuers.values()) keys.close();
  }
}

function isAsymmetric(alg: unknown): boolean {
  return (asymmetricAlgorithms as readonly unknown[]).includes(alg);
}

/** Looks for new keys where the token's is not among the known ones. Rejects with TokenError or IssuerError. */
async function readClaims(token: string, kid: unknown, issuerKeys: IssuerKeys): Promise<Claims> {
  const keys = await issuerKeys.get();
  try {
    return readSignedClaims(token, { keys, types: accessTokenTypes });
  } catch (error) {
    if (!isForWantOfKey(error) || isAmong(keys, kid)) throw error;
    const renewed = await issuerKeys.renew();
    if (!renewed) throw error;
    return readSignedClaims(token, { keys: renewed, types: accessTokenTypes });
  }
}

function isForWantOfKey(error: unknown): boolean {
  return error instanceof TokenError && (error.code === "signature" || error.code === "algorithm");
}

function isAmong(keys: readonly VerificationKey[], kid: unknown): boolean {
  return kid !== undefined && keys.some((key) => key.kid === kid);
}

/** An e-mail that the issuer says it has not verified is anybody's. Where it does not say, it is taken. */
function readOidcPerson(claims: Claims): { displayName?: string; email?: string } {
  const { name, preferred_username: username, email_verified: isVerified, ...others } = claims;
  const { displayName, email } = readPerson({ ...others, name: name ?? username });
  const hasEmail =
    email !== undefined && (isVerified === undefined || isVerified === true || isVerified === "true");
  return { ...(displayName !== undefined && { displayName }), ...(hasEmail && { email }) };
}
