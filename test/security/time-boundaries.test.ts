/**
 * Classes 20 to 24 at their edges, for the verifiers of issuers' logins and of refresh tokens: whatever the times of a token
 * and whatever the clock says, it is let in exactly when the rules say so. The clock is given; edges are to the millisecond.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clockSkewSeconds } from "../../src/token/jwt/verify-jwt.ts";
import { maxLifetimeSeconds } from "../../src/token/keys/jwt-settings.ts";
import { familyLifetimeSeconds, readRefreshToken } from "../../src/token/refresh/refresh-token.ts";
import { makeTokenId } from "../../src/token/revocation/token-id.ts";
import { TokenError } from "../../src/token/token-error.ts";
import { OidcUsers } from "../../src/token/users/oidc/oidc-users.ts";
import { createManualClock } from "../fakes/manual-clock.ts";
import { startScriptedIssuer } from "../fakes/scripted-issuer.ts";
import type { ScriptedIssuer } from "../fakes/scripted-issuer.ts";
import { now, nowMs, settings } from "../token/make-token.ts";
import { ecdsa, hmac, makeKey, write } from "./compact-token.ts";

interface Times {
  readonly iat?: number | undefined;
  readonly nbf?: number | undefined;
  readonly exp?: number | undefined;
}

interface Verifier {
  readonly name: string;
  sign(times: Times): string;
  verify(token: string, atMs: number): Promise<unknown>;
}

const key = makeKey("ec", "key");
let issuer: ScriptedIssuer;
let users: OidcUsers;

beforeAll(async () => {
  issuer = await startScriptedIssuer();
  issuer.keys = [key.jwk];
  users = new OidcUsers({
    issuers: [{ issuer: issuer.issuer, jwksUrl: issuer.jwksUrl }],
    audience: "api",
    authorizedParties: [],
    clock: createManualClock(nowMs),
    onProblem: () => undefined,
  });
});
afterAll(async () => {
  users.close();
  await issuer.stop();
});

const oidc: Verifier = {
  name: "an issuer's login",
  sign: (times) =>
    write({
      header: { alg: "ES256", kid: key.kid },
      claims: { sub: "ada", iss: issuer.issuer, aud: "api", ...times },
      sign: ecdsa(key.privateKey),
    }),
  verify: (token, atMs) => users.verify(token, atMs),
};
const familyId = makeTokenId(nowMs);
const refresh: Verifier = {
  name: "a refresh token",
  sign: (times) =>
    write({
      header: { alg: "HS256", typ: "refresh+jwt" },
      claims: {
        sub: "ada",
        room: "room",
        identity: "ada",
        userType: "host",
        targets: ["transcription"],
        fam: familyId,
        gen: 1,
        jti: makeTokenId(nowMs),
        iss: settings.issuer,
        aud: "parley-refresh",
        ...times,
      },
      sign: hmac(settings.secret),
    }),
  verify: async (token, atMs) => readRefreshToken(token, settings, atMs),
};

/** The rules, written down again: RFC 7519 with 10 s of tolerance and a longest lifetime. In seconds, `at` too. */
function ruling({ iat, nbf, exp }: Times, at: number): string {
  if (exp === undefined) return "claim";
  if (exp - (iat ?? nbf ?? at) > maxLifetimeSeconds) return "lifetime";
  if (at >= exp + clockSkewSeconds) return "expired";
  if ((nbf ?? at) > at + clockSkewSeconds) return "not-yet-valid";
  return (iat ?? at) > at + clockSkewSeconds ? "not-yet-valid" : "ok";
}

async function verdict(verifier: Verifier, times: Times, atMs: number): Promise<string> {
  try {
    await verifier.verify(verifier.sign(times), atMs);
    return "ok";
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    return error.code;
  }
}

describe.each([oidc, refresh])("$name", (verifier) => {
  const good = { iat: now, nbf: now, exp: now + 600 };

  test("both sides of each edge, to the millisecond", async () => {
    const at = (times: Times, atMs: number) => verdict(verifier, times, atMs);
    const skewMs = clockSkewSeconds * 1000;
    expect(await at(good, good.exp * 1000 + skewMs - 1)).toBe("ok");
    expect(await at(good, good.exp * 1000 + skewMs)).toBe("expired");
    for (const name of ["nbf", "iat"] as const) {
      expect(await at({ ...good, [name]: now + clockSkewSeconds }, nowMs)).toBe("ok");
      expect(await at({ ...good, [name]: now + clockSkewSeconds }, nowMs - 1)).toBe("not-yet-valid");
      expect(await at({ ...good, [name]: now + clockSkewSeconds + 0.001 }, nowMs)).toBe("not-yet-valid");
    }
    const day = { ...good, exp: now + maxLifetimeSeconds };
    expect(await at(day, nowMs)).toBe("ok");
    expect(await at({ ...day, exp: day.exp + 0.001 }, nowMs)).toBe("lifetime");
    expect(await at({ ...day, iat: day.iat - 0.001 }, nowMs)).toBe("lifetime");
    expect(await at({ exp: day.exp }, nowMs)).toBe("ok");
    expect(await at({ exp: day.exp }, nowMs - 1)).toBe("lifetime");
    expect(await at({ iat: now, nbf: now }, nowMs)).toBe("claim");
  });

  test("for any times at any moment it is let in exactly when the rules say so", async () => {
    // Close to now, close to the tolerance, close to the longest lifetime; whole and broken seconds.
    const near = fc.oneof(
      fc.integer({ min: -30, max: 30 }),
      fc.constantFrom(-10, 10, -10.001, 10.001, -9.999, 9.999),
      fc.integer({ min: maxLifetimeSeconds - 15, max: maxLifetimeSeconds + 15 }),
      fc.integer({ min: -30_000, max: 30_000 }).map((ms) => ms / 1000),
    );
    const time = fc.option(near, { nil: undefined });
    const from = (offset: number | undefined) =>
      offset === undefined ? undefined : (nowMs + Math.round(offset * 1000)) / 1000;
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        time,
        time,
        time,
        fc.integer({ min: -30_000, max: 30_000 }),
        async (iat, nbf, exp, offsetMs) => {
          const times = { iat: from(iat), nbf: from(nbf), exp: from(exp) };
          const expected = ruling(times, (nowMs + offsetMs) / 1000);
          seen.add(expected);
          expect(await verdict(verifier, times, nowMs + offsetMs)).toBe(expected);
        },
      ),
      { numRuns: 1_500 },
    );
    expect([...seen].sort()).toEqual(["claim", "expired", "lifetime", "not-yet-valid", "ok"]);
  });

  test("what is no time is refused at every moment", async () => {
    const notATime = fc.oneof(
      fc.constantFrom<unknown>(null, true, "", "600", [], {}, -1, -0.001, 1e308, 253_402_300_800),
      fc.string(),
      fc.double({ min: 253_402_300_800, noNaN: true, noDefaultInfinity: true }),
      fc.double({ max: -1e-6, noNaN: true, noDefaultInfinity: true }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("iat", "nbf", "exp"),
        notATime,
        fc.integer({ min: -30_000, max: 30_000 }),
        async (name, value, offsetMs) => {
          const times = { ...good, [name]: value } as Times;
          expect(await verdict(verifier, times, nowMs + offsetMs)).toBe("claim");
        },
      ),
    );
  });
});

test("a refresh token made late in its family ends with it, whenever it is made", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: familyLifetimeSeconds * 1000 }), (ageMs) => {
      const at = now + Math.floor(ageMs / 1000);
      const end = now + familyLifetimeSeconds;
      const token = refresh.sign({ iat: at, nbf: at, exp: Math.min(at + maxLifetimeSeconds, end) });
      const read = readRefreshToken(token, settings, nowMs + ageMs);
      expect(read.issueTime.getTime()).toBe(nowMs); // when the family began: what was revoked since then is revoked
      expect(read.expireTime.getTime()).toBeLessThanOrEqual(end * 1000);
    }),
  );
});
