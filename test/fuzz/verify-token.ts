/**
 * The fuzz target of the verifier: `fuzz` takes any bytes, in the form that coverage-guided fuzzers for Node call, and throws
 * when the verifier does what it must not. Beside it stands another library (jose) with the same options.
 */
import * as jose from "jose";
import { verifyOwnToken } from "../../src/token/credentials/verify-credential.ts";
import { maxLifetimeSeconds } from "../../src/token/keys/jwt-settings.ts";
import { TokenError } from "../../src/token/token-error.ts";
import { now, nowMs } from "../token/make-token.ts";
import { makeHostileToken, ownPublicKey, world } from "./hostile-token.ts";
import type { HostileToken } from "./hostile-token.ts";

/** Gives whatever it likes for a token that it accepts; throws TokenError otherwise. */
export type Verify = (token: string) => unknown;

export const verify: Verify = (token) => verifyOwnToken(token, world, nowMs);

/** Rejects with what is wrong. */
export async function fuzz(data: Uint8Array, verifier: Verify = verify): Promise<void> {
  const hostile = makeHostileToken(data);
  if (!isAccepted(hostile.token, verifier)) return;
  if (!hostile.isSigned) throw new Finding("accepted what no good key signed", hostile);
  if (hostile.forbidden !== undefined) throw new Finding(`accepted ${hostile.forbidden}`, hostile);
  const problem = await whyNot(hostile.token);
  if (problem !== undefined) throw new Finding(`accepted what another library does not: ${problem}`, hostile);
}

export class Finding extends Error {
  override readonly name = "Finding";

  constructor(problem: string, { token }: HostileToken) {
    super(`${problem}: ${token.length > 2000 ? `${token.slice(0, 2000)}…` : token}`);
  }
}

function isAccepted(token: string, verifier: Verify): boolean {
  try {
    verifier(token);
    return true;
  } catch (error) {
    if (error instanceof TokenError) return false;
    throw error;
  }
}

/** What another library, and rules that it does not have, say against a token. */
async function whyNot(token: string): Promise<string | undefined> {
  const options = { currentDate: new Date(nowMs), clockTolerance: 10, requiredClaims: ["exp", "iss", "aud"] };
  const secrets = [world.secret, world.previousSecret ?? ""].map((text) => new TextEncoder().encode(text));
  const attempts = [
    ...secrets.map((key) => jose.jwtVerify(token, key, { ...options, algorithms: ["HS256"] })),
    jose.jwtVerify(token, ownPublicKey, { ...options, algorithms: ["EdDSA"] }),
  ];
  const verified = (await Promise.allSettled(attempts)).find((attempt) => attempt.status === "fulfilled");
  if (!verified) return "no key verifies it in time";
  const { iss, aud, exp = Infinity, iat, nbf } = verified.value.payload;
  if (iss !== world.issuer) return "issuer";
  if (aud !== world.audience && aud !== "parley") return "audience";
  if (iat !== undefined && iat > now + 10) return "iat";
  return exp - (iat ?? nbf ?? now) > maxLifetimeSeconds ? "lifetime" : undefined;
}
