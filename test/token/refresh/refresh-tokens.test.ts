import { decodeJwt, decodeProtectedHeader } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Storage } from "../../../src/storage/open-storage.ts";
import { verifyOwnToken } from "../../../src/token/credentials/verify-credential.ts";
import { familyLifetimeSeconds, issueRefreshToken } from "../../../src/token/refresh/refresh-token.ts";
import type { RefreshGrant } from "../../../src/token/refresh/refresh-token.ts";
import type { RefreshStore } from "../../../src/token/refresh/refresh-store.ts";
import { RefreshTokens } from "../../../src/token/refresh/refresh-tokens.ts";
import { Revocations } from "../../../src/token/revocation/revocations.ts";
import { issueTranscriptionToken } from "../../../src/token/targets/transcription/issue-token.ts";
import { TokenError } from "../../../src/token/token-error.ts";
import { createManualClock } from "../../fakes/manual-clock.ts";
import type { ManualClock } from "../../fakes/manual-clock.ts";
import { forEachDatabase } from "../../storage/databases.ts";
import { makeToken, now, nowMs, settings, transcriptionClaims, userClaims } from "../make-token.ts";

const grant: RefreshGrant = {
  userId: "ada",
  roomName: "room",
  participantIdentity: "ada-1",
  participantName: "Ada",
  participantEmail: "ada@example.com",
  userType: "presenter",
  targets: ["livekit", "transcription"],
};
const dayMs = 24 * 3600_000;

interface Replica {
  readonly tokens: RefreshTokens;
  readonly revocations: Revocations;
  readonly problems: string[];
}

forEachDatabase((_, open) => {
  let storage: Storage;
  let clock: ManualClock;
  let here: Replica;
  const started: Replica[] = [];
  beforeAll(async () => void (storage = await open()));
  afterAll(() => storage.close());
  beforeEach(async () => {
    clock = createManualClock(nowMs);
    here = await start();
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((one) => one.revocations.stop()));
    await storage.revocations.deleteExpired(new Date("2100-01-01"));
  });

  async function start(store: RefreshStore = storage.refresh): Promise<Replica> {
    const problems: string[] = [];
    const onProblem = (message: string) => void problems.push(message);
    const revocations = new Revocations({
      store: storage.revocations,
      notices: storage.notices,
      // By notices alone: in a week that a test lets pass it would read again twenty thousand times.
      clock: { now: clock.now, after: () => () => undefined },
      endStreams: () => 0,
      onProblem,
    });
    await revocations.start();
    const replica = {
      tokens: new RefreshTokens({ jwt: settings, store, revocations, clock, onProblem }),
      revocations,
      problems,
    };
    started.push(replica);
    return replica;
  }
  const renew = async (token: string, at = here) => at.tokens.spend(at.tokens.read(token));
  const codeOf = (work: () => Promise<unknown>) =>
    work().then(
      () => "ok",
      (error: unknown) => (error instanceof TokenError ? error.code : String(error)),
    );

  test("a refresh token brings back what was granted, once", async () => {
    const { familyId, token } = here.tokens.begin(grant);
    expect(here.tokens.read(token)).toMatchObject({ grant, familyId, generation: 1 });
    const next = await renew(token);
    expect(here.tokens.read(next)).toMatchObject({ grant, familyId, generation: 2 });
    expect(decodeJwt(next).jti).not.toBe(decodeJwt(token).jti);
    expect(decodeJwt(next)).toMatchObject({ fam: familyId, gen: 2, aud: "parley-refresh" });
    expect(decodeProtectedHeader(next)).toEqual({ alg: "HS256", typ: "refresh+jwt" });
  });

  test("class 31: one that is used again is refused and takes its family along, the newest token too", async () => {
    const { familyId, token } = here.tokens.begin(grant);
    const second = await renew(token);
    const third = await renew(second);
    expect(await codeOf(() => renew(token))).toBe("spent");
    expect(await codeOf(() => renew(third))).toBe("revoked");
    expect(await codeOf(() => renew(second))).toBe("revoked");
    const access = issueTranscriptionToken(
      { ...grant, familyId, ttlSeconds: 60 },
      settings,
      clock.now() + 5000,
    ).token;
    await clock.advance(5000);
    const caller = verifyOwnToken(access, settings, clock.now());
    expect(() => here.revocations.check(caller as never)).toThrow(TokenError);
  });

  test("class 31: of several at once one wins, and its tokens are good", async () => {
    const { token } = here.tokens.begin(grant);
    const codes = await Promise.allSettled(Array.from({ length: 8 }, () => renew(token)));
    const won = codes.filter((result) => result.status === "fulfilled");
    expect(won).toHaveLength(1);
    for (const result of codes)
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "spent" });
    expect(here.tokens.read(won[0]!.value)).toMatchObject({ generation: 2 });
    await renew(won[0]!.value);
  });

  test("class 31: a call that began before the token was spent has lost a race, and one that begins after is theft", async () => {
    const { token } = here.tokens.begin(grant);
    const [first, late] = [here.tokens.read(token), here.tokens.read(token)];
    const next = await here.tokens.spend(first);
    expect(await codeOf(() => here.tokens.spend(late))).toBe("spent");
    expect(here.tokens.read(next)).toMatchObject({ generation: 2 });
    expect(await codeOf(() => renew(token))).toBe("spent");
    expect(await codeOf(() => renew(next))).toBe("revoked");
  });

  test("class 31: of two replicas at once one wins, and its tokens are good", async () => {
    for (let round = 0; round < 10; round++) {
      const there = await start();
      const { token } = here.tokens.begin(grant);
      const results = await Promise.allSettled([renew(token), renew(token, there)]);
      const won = results.find((result) => result.status === "fulfilled");
      expect(results.filter((result) => result.status === "rejected")).toHaveLength(1);
      expect(await codeOf(() => renew(won!.value))).toBe("ok");
    }
  });

  test("used again at another replica, later than a race can be, is theft", async () => {
    const there = await start({
      ...storage.refresh,
      async spend(spending) {
        const before = await storage.refresh.spend(spending);
        return before && { ...before, agoMs: before.agoMs + 2000 };
      },
    });
    const { token } = here.tokens.begin(grant);
    const next = await renew(token);
    expect(await codeOf(() => renew(token, there))).toBe("spent");
    expect(await codeOf(() => renew(next, there))).toBe("revoked");
    await expect.poll(() => codeOf(() => renew(next))).toBe("revoked");
  });

  test("an older one at another replica is theft, however soon it comes", async () => {
    const there = await start();
    const { token } = here.tokens.begin(grant);
    const third = await renew(await renew(token));
    expect(await codeOf(() => renew(token, there))).toBe("spent");
    expect(await codeOf(() => renew(third, there))).toBe("revoked");
  });

  test("class 30: a revocation of the user, the room, the family or the token ends the family", async () => {
    for (const selectorOf of [
      () => ({ userId: "ada" }),
      () => ({ roomName: "room" }),
      () => ({ roomName: "room", userId: "ada" }),
      (familyId: string) => ({ tokenId: familyId }),
      (familyId: string) => ({ tokenId: familyId, userId: "ada" }),
      (_: string, token: string) => ({ tokenId: decodeJwt(token).jti! }),
    ]) {
      const { familyId, token } = here.tokens.begin(grant);
      await here.revocations.revoke(selectorOf(familyId, token));
      expect(await codeOf(() => renew(token))).toBe("revoked");
      await clock.advance(1);
      expect(await codeOf(() => renew(here.tokens.begin(grant).token))).toBe("ok");
    }
  });

  test("a revocation while the token is being spent is not overtaken", async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const slow = await start({
      ...storage.refresh,
      async spend(spending) {
        await held;
        return storage.refresh.spend(spending);
      },
    });
    const renewing = codeOf(() => renew(slow.tokens.begin(grant).token, slow));
    await clock.advance(10);
    await slow.revocations.revoke({ userId: "ada" });
    release();
    expect(await renewing).toBe("revoked");
  });

  test("is good for 24 hours, and its family for seven days", async () => {
    const { token } = here.tokens.begin(grant);
    await clock.advance(dayMs + 9_000);
    expect(here.tokens.read(token)).toMatchObject({ generation: 1 });
    await clock.advance(1_000);
    expect(() => here.tokens.read(token)).toThrow("the token has expired");

    let current = here.tokens.begin(grant).token;
    const beganMs = clock.now();
    for (let day = 0; day < 7; day++) {
      await clock.advance(dayMs - 3600_000);
      current = await renew(current);
    }
    expect(decodeJwt(current).exp! * 1000).toBeLessThanOrEqual(beganMs + familyLifetimeSeconds * 1000);
    await clock.advance(7 * 3600_000 + 10_000);
    expect(() => here.tokens.read(current)).toThrow("the token has expired");
  });

  test("what the database forgets has expired", async () => {
    const { token } = here.tokens.begin(grant);
    await renew(token);
    await storage.refresh.deleteExpired(new Date(clock.now() + familyLifetimeSeconds * 1000 - 1000));
    expect(await codeOf(() => renew(token))).toBe("spent");
    await storage.refresh.deleteExpired(new Date(clock.now() + familyLifetimeSeconds * 1000));
    expect(
      await storage.refresh.spend({
        familyId: here.tokens.read(here.tokens.begin(grant).token).familyId,
        generation: 1,
        replicaId: "r",
        expireTime: new Date(),
      }),
    ).toBeUndefined();
  });

  test("a database that does not answer spends nothing and revokes nothing", async () => {
    const broken = await start({
      ...storage.refresh,
      spend: () => Promise.reject(new Error("the database does not answer")),
    });
    const { token } = broken.tokens.begin(grant);
    expect(await codeOf(() => renew(token, broken))).toBe("Error: the database does not answer");
    expect(await codeOf(() => renew(token))).toBe("ok");
  });
});

describe("what is no refresh token", () => {
  const tokens = new RefreshTokens({
    jwt: settings,
    store: { spend: () => Promise.resolve(undefined), deleteExpired: () => Promise.resolve() },
    revocations: { isRevoked: () => false, revoke: () => Promise.resolve(0) },
    clock: createManualClock(nowMs),
    onProblem: () => undefined,
  });
  const claims = () => decodeJwt(tokens.begin(grant).token);
  const typed = { alg: "HS256", typ: "refresh+jwt" };
  const codeOf = (token: string) => {
    try {
      tokens.read(token);
      return "ok";
    } catch (error) {
      return (error as TokenError).code;
    }
  };

  test("class 27: access tokens of every kind are refused", () => {
    expect(codeOf(makeToken(transcriptionClaims))).toBe("malformed");
    expect(codeOf(makeToken(userClaims))).toBe("malformed");
    expect(codeOf(makeToken(transcriptionClaims, typed))).toBe("audience");
    expect(codeOf(makeToken(userClaims, typed))).toBe("audience");
  });

  test("class 27: and a refresh token is refused as an access token", () => {
    const { token } = tokens.begin(grant);
    expect(() => verifyOwnToken(token, settings, nowMs)).toThrow("typ");
    expect(() => verifyOwnToken(makeToken(claims()), settings, nowMs)).toThrow("audience");
  });

  test.each<[string, object]>([
    ["fam", { fam: "not-an-id" }],
    ["fam", { fam: undefined }],
    ["gen", { gen: 0 }],
    ["gen", { gen: 1.5 }],
    ["gen", { gen: "1" }],
    ["targets", { targets: ["everything"] }],
    ["targets", { targets: "livekit" }],
    ["userType", { userType: "HOST" }],
    ["sub", { sub: "" }],
    ["room", { room: null }],
    ["identity", { identity: "a\0b" }],
  ])("%s of %j is refused", (_, change) => {
    expect(codeOf(makeToken({ ...claims(), ...change }, typed))).toBe("claim");
  });

  test("one of another issuer is refused", () => {
    const other = issueRefreshToken(
      { grant, familyId: claims()["fam"] as string, generation: 1 },
      { ...settings, issuer: "other" },
      nowMs,
    );
    expect(codeOf(other)).toBe("issuer");
    expect(codeOf(makeToken({ ...claims(), exp: now + 25 * 3600 }, typed))).toBe("lifetime");
  });
});
