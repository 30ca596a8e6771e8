import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Notices } from "../../../src/notices.ts";
import { openStorage } from "../../../src/storage/open-storage.ts";
import type { Storage } from "../../../src/storage/open-storage.ts";
import type { ParticipantCaller } from "../../../src/token/caller.ts";
import type { RevocationSelector, RevocationStore } from "../../../src/token/revocation/revocation-store.ts";
import { Revocations } from "../../../src/token/revocation/revocations.ts";
import { makeTokenId } from "../../../src/token/revocation/token-id.ts";
import { issueTranscriptionToken } from "../../../src/token/targets/transcription/issue-token.ts";
import { verifyOwnToken } from "../../../src/token/credentials/verify-credential.ts";
import { createManualClock } from "../../fakes/manual-clock.ts";
import type { ManualClock } from "../../fakes/manual-clock.ts";
import { describePostgres, silentLog } from "../../storage/databases.ts";
import { makeToken, settings, transcriptionClaims, without } from "../make-token.ts";

const dayMs = 86_400_000;
/** In the middle of a second. */
const startMs = Date.parse("2026-01-02T03:04:05.500Z");

let clock: ManualClock;
beforeEach(() => void (clock = createManualClock(startMs)));

interface Replica {
  readonly revocations: Revocations;
  readonly ended: RevocationSelector[];
  readonly problems: string[];
}

async function startReplica(storage: { revocations: RevocationStore; notices: Notices }): Promise<Replica> {
  const ended: RevocationSelector[] = [];
  const problems: string[] = [];
  const revocations = new Revocations({
    store: storage.revocations,
    notices: storage.notices,
    clock,
    endStreams: (selector) => ended.push(selector),
    onProblem: (message) => void problems.push(message),
  });
  await revocations.start();
  return { revocations, ended, problems };
}

/** As Parley makes it, at this moment. */
function issue(userId = "ada", roomName = "room", atMs = clock.now()): ParticipantCaller {
  const request = { userId, roomName, participantIdentity: "i", userType: "host", ttlSeconds: 60 } as const;
  return read(issueTranscriptionToken(request, settings, atMs).token, atMs);
}

function read(token: string, atMs = clock.now()): ParticipantCaller {
  const caller = verifyOwnToken(token, settings, atMs);
  if (caller.kind !== "participant") throw new Error("not a transcription token");
  return caller;
}

describe("in one process", () => {
  let storage: Storage;
  let replica: Replica;
  let revocations: Revocations;
  const started: Replica[] = [];
  const start = async (parts: Parameters<typeof startReplica>[0] = storage) => {
    const one = await startReplica(parts);
    started.push(one);
    return one;
  };
  beforeAll(async () => void (storage = await openStorage({ dataDir: "memory:", log: silentLog })));
  beforeEach(async () => {
    replica = await start();
    ({ revocations } = replica);
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((one) => one.revocations.stop()));
    await storage.revocations.deleteExpired(new Date("2100-01-01"));
  });
  afterAll(() => storage.close());

  test("of a room's users one by one it keeps a hundred, and then takes the room's tokens as a whole", async () => {
    const others = issue("other", "crowded");
    for (let user = 0; user < 100; user++)
      await revocations.revoke({ roomName: "crowded", userId: `user-${user}` });
    expect(revocations.isRevoked(others)).toBe(false);
    await revocations.revoke({ roomName: "crowded", userId: "user-7" });
    expect(revocations.isRevoked(others)).toBe(false);
    await revocations.revoke({ roomName: "crowded", userId: "user-100" });
    expect(revocations.isRevoked(others)).toBe(true);
    expect(revocations.isRevoked(issue("user-100", "crowded"))).toBe(true);
    expect(revocations.isRevoked(issue("other", "elsewhere"))).toBe(false);
    expect(await storage.revocations.list(new Date(clock.now()))).toHaveLength(101);
  });

  test("a user's tokens are refused in every room, and nobody else's", async () => {
    const [hers, elsewhere, his] = [issue("ada"), issue("ada", "other"), issue("bob")];
    expect(await revocations.revoke({ userId: "ada" })).toBe(1);
    expect([hers, elsewhere, his].map((token) => revocations.isRevoked(token))).toEqual([true, true, false]);
    expect(() => revocations.check(hers)).toThrow(expect.objectContaining({ code: "revoked" }));
    expect(revocations.check(his)).toBe(his);
    expect(replica.ended).toEqual([{ userId: "ada" }]);
  });

  test("a room's tokens are refused whoever they name, and no other room's", async () => {
    const [one, two, elsewhere] = [issue("ada"), issue("bob"), issue("ada", "room2")];
    await revocations.revoke({ roomName: "room" });
    expect([one, two, elsewhere].map((token) => revocations.isRevoked(token))).toEqual([true, true, false]);
  });

  test("a single token is refused, and no other of the same user and room", async () => {
    const [one, two] = [issue(), issue()];
    await revocations.revoke({ tokenId: one.tokenId });
    expect([one, two].map((token) => revocations.isRevoked(token))).toEqual([true, false]);
  });

  test("a single token that only one user may take back is refused only if it names that user", async () => {
    const [hers, his] = [issue("ada"), issue("bob")];
    await revocations.revoke({ tokenId: his.tokenId, userId: "ada" });
    await revocations.revoke({ tokenId: hers.tokenId, userId: "ada" });
    expect([hers, his].map((token) => revocations.isRevoked(token))).toEqual([true, false]);
  });

  test("a name that looks like another kind of selector is not taken for it", async () => {
    await revocations.revoke({ userId: "room" });
    await revocations.revoke({ roomName: "ada" });
    await revocations.revoke({ tokenId: "ada" });
    expect(revocations.isRevoked(issue())).toBe(false);
  });

  test("a token that Parley makes later is good, even within the same second; revoked again, it is not", async () => {
    for (let times = 0; times < 3; times++) {
      const before = issue();
      await revocations.revoke({ userId: "ada" });
      expect(revocations.isRevoked(before)).toBe(true);
      await clock.advance(1);
      expect(revocations.isRevoked(issue())).toBe(false);
    }
    expect(replica.ended).toHaveLength(3);
  });

  test("of tokens that others sign, those of the whole second are refused, and later ones are good", async () => {
    const second = Math.floor(startMs / 1000);
    const signed = (claims: object) =>
      read(makeToken({ ...transcriptionClaims, exp: second + 60, ...claims }));
    await revocations.revoke({ userId: "ada" });
    const isRevoked = (claims: object) => revocations.isRevoked(signed(claims));
    expect(isRevoked({ iat: second - 1 })).toBe(true);
    expect(isRevoked({ iat: second })).toBe(true);
    expect(isRevoked({ iat: second + 0.9 })).toBe(true);
    expect(isRevoked({ iat: second + 1 })).toBe(false);
    // Whatever its id claims to be, `iat` must agree.
    expect(isRevoked({ iat: second, jti: makeTokenId(startMs + 100) })).toBe(false);
    expect(isRevoked({ iat: second, jti: makeTokenId(startMs + 1000) })).toBe(true);
    expect(isRevoked({ iat: second - 1, jti: makeTokenId(startMs + 100) })).toBe(true);
    const undated = without({ ...transcriptionClaims, exp: second + 60 }, "iat");
    expect(revocations.isRevoked(read(makeToken(undated)))).toBe(true);
  });

  test("it is loaded at start", async () => {
    const token = issue();
    await revocations.revoke({ userId: "ada" });
    const next = await start();
    expect(next.revocations.isRevoked(token)).toBe(true);
  });

  test("it is kept until the last token that it can concern has expired, and then forgotten everywhere", async () => {
    const token = issue();
    await revocations.revoke({ userId: "ada" });
    clock = createManualClock(startMs + dayMs + 10_000);
    const later = await start();
    expect(later.revocations.isRevoked(token)).toBe(true);
    await clock.advance(30_000);
    await expect.poll(() => later.revocations.isRevoked(token)).toBe(false);
    expect(await storage.revocations.list(new Date(0))).toHaveLength(1); // clocks differ
    clock = createManualClock(startMs + dayMs + 7_200_000);
    await start();
    expect(await storage.revocations.list(new Date(0))).toEqual([]);
  });

  test("the same again ends streams that were opened since, and changes nothing else", async () => {
    await revocations.revoke({ userId: "ada" });
    await clock.advance(10);
    await revocations.revoke({ userId: "ada" });
    expect(replica.ended).toHaveLength(2);
    expect(await storage.revocations.list(new Date(0))).toHaveLength(1);
  });

  test("single tokens that a user takes back have a limit, which others do not share", async () => {
    const limited = { name: "TokenRequestError", code: "limit" };
    const byAda = (n: number) => revocations.revoke({ tokenId: `t${n}`, userId: "ada" });
    for (let n = 0; n < 100; n++) await byAda(n);
    await expect(byAda(100)).rejects.toMatchObject(limited);
    await byAda(0); // again
    await revocations.revoke({ tokenId: "t100", userId: "bob" });
    await revocations.revoke({ tokenId: "t101" });
    await revocations.revoke({ userId: "ada" });
    clock = createManualClock(startMs + dayMs);
    const later = await start();
    await expect(later.revocations.revoke({ tokenId: "t100", userId: "ada" })).rejects.toMatchObject(limited);
    await clock.advance(60_000);
    await expect
      .poll(() =>
        later.revocations.revoke({ tokenId: "t100", userId: "ada" }).catch((error: unknown) => error),
      )
      .toBeTypeOf("number");
  });

  test("a database that does not take it is the caller's to know, and nothing is enforced", async () => {
    const failing = await start({
      notices: storage.notices,
      revocations: { ...storage.revocations, keep: () => Promise.reject(new Error("down")) },
    });
    await expect(failing.revocations.revoke({ userId: "ada" })).rejects.toThrow("down");
    expect(failing.revocations.isRevoked(issue())).toBe(false);
    expect(failing.ended).toEqual([]);
  });

  test("one that other replicas cannot be told of is enforced here, and the caller knows", async () => {
    const failing = await start({
      revocations: storage.revocations,
      notices: { ...storage.notices, publish: () => Promise.reject(new Error("down")) },
    });
    await expect(failing.revocations.revoke({ userId: "ada" })).rejects.toThrow("down");
    expect(failing.revocations.isRevoked(issue())).toBe(true);
    expect(failing.ended).toHaveLength(1);
  });

  test("a replica without notices reads again after 30 s, and ends streams then", async () => {
    const deaf = await start({
      revocations: storage.revocations,
      notices: { publish: () => Promise.resolve(), subscribe: () => () => undefined },
    });
    const token = issue();
    await revocations.revoke({ userId: "ada" });
    await clock.advance(29_999);
    expect(deaf.revocations.isRevoked(token)).toBe(false);
    await clock.advance(1);
    await expect.poll(() => deaf.revocations.isRevoked(token)).toBe(true);
    expect(deaf.ended).toEqual([{ userId: "ada" }]);
    await clock.advance(90_000);
    expect(deaf.ended).toHaveLength(1);
  });

  test("a replica that may have missed notices reads again at once", async () => {
    const missed: (() => void)[] = [];
    const late = await start({
      revocations: storage.revocations,
      notices: {
        publish: () => Promise.resolve(),
        subscribe(_topic, { onMissed }) {
          missed.push(onMissed);
          return () => undefined;
        },
      },
    });
    await revocations.revoke({ roomName: "room" });
    missed[0]!();
    await expect.poll(() => late.ended).toEqual([{ roomName: "room" }]);
  });

  test("a read that fails is tried again every second, and the copy stays meanwhile", async () => {
    let fails = false;
    const list = vi.fn((now: Date) =>
      fails ? Promise.reject(new Error("down")) : storage.revocations.list(now),
    );
    const shaky = await start({
      notices: storage.notices,
      revocations: { ...storage.revocations, list },
    });
    const [first, second] = [issue("ada"), issue("bob")];
    await revocations.revoke({ userId: "ada" });
    await expect.poll(() => shaky.revocations.isRevoked(first)).toBe(true);
    fails = true;
    await revocations.revoke({ userId: "bob" });
    await expect.poll(() => shaky.problems.length).toBe(1);
    await clock.advance(1000);
    await expect.poll(() => shaky.problems.length).toBe(2);
    expect(shaky.revocations.isRevoked(first)).toBe(true);
    expect(shaky.revocations.isRevoked(second)).toBe(false);
    fails = false;
    await clock.advance(1000);
    await expect.poll(() => shaky.revocations.isRevoked(second)).toBe(true);
  });

  test("a start that cannot read rejects, and what has stopped reads no more", async () => {
    const list = vi.fn(() => Promise.reject(new Error("down")));
    await expect(start({ ...storage, revocations: { ...storage.revocations, list } })).rejects.toThrow(
      "down",
    );
    await revocations.stop();
    const other = await start();
    await other.revocations.revoke({ userId: "ada" });
    await clock.advance(60_000);
    expect(replica.ended).toEqual([]);
  });

  test("many announced at once are read together", async () => {
    const other = await start();
    const list = vi.spyOn(storage.revocations, "list");
    const users = Array.from({ length: 50 }, (_, n) => `user-${n}`);
    await Promise.all(users.map((userId) => other.revocations.revoke({ userId })));
    await expect.poll(() => replica.ended.length).toBe(50);
    expect(list.mock.calls.length).toBeLessThan(50);
  });
});

describePostgres("two replicas on one PostgreSQL", (url) => {
  test("one learns at once what the other took back, and ends its streams", async () => {
    const storages = await Promise.all(
      [1, 2].map(() => openStorage({ url: url(), dataDir: "unused", log: silentLog })),
    );
    const [one, two] = [await startReplica(storages[0]!), await startReplica(storages[1]!)];
    const token = issue();
    await one.revocations.revoke({ tokenId: token.tokenId, userId: "ada" });
    await expect.poll(() => two.ended).toEqual([{ tokenId: token.tokenId, userId: "ada" }]);
    expect(two.revocations.isRevoked(token)).toBe(true);
    expect(one.ended).toHaveLength(1);
    await Promise.all([one, two].map(({ revocations }) => revocations.stop()));
    await Promise.all(storages.map((storage) => storage.close()));
  });
});
