import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NoticeSubscriber } from "../../../src/notices.ts";
import { makeApiKey } from "../../../src/token/api-keys/api-key.ts";
import type { StoredApiKey } from "../../../src/token/api-keys/api-key-store.ts";
import type { UserCaller } from "../../../src/token/caller.ts";
import { CredentialVerifier } from "../../../src/token/credentials/credential-verifier.ts";
import type { CredentialVerifierOptions } from "../../../src/token/credentials/credential-verifier.ts";
import { Revocations } from "../../../src/token/revocation/revocations.ts";
import { issueTranscriptionToken } from "../../../src/token/targets/transcription/issue-token.ts";
import { TokenError } from "../../../src/token/token-error.ts";
import { issueUserToken } from "../../../src/token/users/user-token.ts";
import { createManualClock } from "../../fakes/manual-clock.ts";
import type { ManualClock } from "../../fakes/manual-clock.ts";
import { nowMs, settings } from "../make-token.ts";

/** Notices as one process has them, and a way to say that some were missed. */
class Topics {
  readonly #subscribers = new Map<string, Set<NoticeSubscriber>>();
  async publish(topic: string, payload: string): Promise<void> {
    for (const subscriber of this.#subscribers.get(topic) ?? []) subscriber.onNotice(payload);
  }
  subscribe(topic: string, subscriber: NoticeSubscriber): () => void {
    const all = this.#subscribers.get(topic) ?? new Set();
    this.#subscribers.set(topic, all.add(subscriber));
    return () => all.delete(subscriber);
  }
  missed(): void {
    for (const all of this.#subscribers.values()) for (const subscriber of all) subscriber.onMissed();
  }
}

let clock: ManualClock;
let topics: Topics;
let keys: Map<string, StoredApiKey>;
/** What verifying cost: reads of API keys, and questions to the OIDC issuer. */
let reads: number;
let revocations: Revocations;
const verifiers: CredentialVerifier[] = [];

beforeEach(async () => {
  clock = createManualClock(nowMs);
  topics = new Topics();
  keys = new Map();
  reads = 0;
  revocations = new Revocations({
    store: {
      keep: () => Promise.resolve(),
      list: () => Promise.resolve([]),
      deleteExpired: () => Promise.resolve(),
    },
    notices: topics,
    clock,
    endStreams: () => {
      for (const verifier of verifiers) verifier.forget();
      return 0;
    },
    onProblem: () => undefined,
  });
  await revocations.start();
});
afterEach(async () => {
  for (const verifier of verifiers.splice(0)) verifier.stop();
  await revocations.stop();
});

function start(options: Partial<CredentialVerifierOptions> = {}): CredentialVerifier {
  const verifier = new CredentialVerifier({
    jwt: settings,
    apiKeys: {
      get: async (id) => {
        reads += 1;
        return keys.get(id);
      },
    },
    revocations,
    clock,
    notices: topics,
    ...options,
  });
  verifiers.push(verifier);
  return verifier;
}
function newKey(expireTime?: Date): string {
  const { key, stored } = makeApiKey(
    { displayName: "k", scopes: ["tokens"], ...(expireTime && { expireTime }) },
    clock.now(),
  );
  keys.set(stored.apiKeyId, stored);
  return key;
}
const idOf = (key: string) => key.slice(3, 19);
function revokeInDatabase(key: string): void {
  keys.set(idOf(key), { ...keys.get(idOf(key))!, revokeTime: new Date(clock.now()) });
}
const participantToken = (ttlSeconds = 3600) =>
  issueTranscriptionToken(
    { userId: "ada", roomName: "room", participantIdentity: "ada", userType: "host", ttlSeconds },
    settings,
    clock.now(),
  ).token;
const refused = (verifier: CredentialVerifier, credential: string) =>
  expect(verifier.verify(credential)).rejects.toBeInstanceOf(TokenError);

describe("an API key", () => {
  test("is looked up once, and again after 30 s", async () => {
    const verifier = start();
    const key = newKey();
    for (let call = 0; call < 5; call++)
      expect(await verifier.verify(key)).toMatchObject({ kind: "service", apiKeyId: idOf(key) });
    expect(reads).toBe(1);
    await clock.advance(29_999);
    await verifier.verify(key);
    expect(reads).toBe(1);
    await clock.advance(1);
    await verifier.verify(key);
    expect(reads).toBe(2);
  });

  test("that is revoked is refused at once, here and on every other replica", async () => {
    const [here, there] = [start(), start()];
    const key = newKey();
    await here.verify(key);
    await there.verify(key);
    revokeInDatabase(key);
    await here.apiKeyRevoked();
    await refused(here, key);
    await refused(there, key);
  });

  test("that is revoked while nobody hears is refused when notices may have been missed, or after 30 s", async () => {
    const verifier = start();
    const [first, second] = [newKey(), newKey()];
    await verifier.verify(first);
    revokeInDatabase(first);
    topics.missed();
    await refused(verifier, first);
    await verifier.verify(second);
    revokeInDatabase(second);
    await clock.advance(30_000);
    await refused(verifier, second);
  });

  test("is not remembered when it was revoked while it was looked up", async () => {
    let answer: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    const key = newKey();
    const stored = keys.get(idOf(key))!;
    let hold = true;
    const verifier = start({
      apiKeys: {
        get: async (id) => {
          if (!hold) return keys.get(id);
          await held;
          return stored;
        },
      },
    });
    const verifying = verifier.verify(key);
    revokeInDatabase(key);
    await verifier.apiKeyRevoked();
    hold = false;
    answer();
    await verifying; // its answer was on the way
    await refused(verifier, key);
  });

  test("is good until its own end and not a moment longer", async () => {
    const verifier = start();
    const key = newKey(new Date(clock.now() + 10_000));
    await clock.advance(9_999);
    await verifier.verify(key);
    await clock.advance(1);
    await refused(verifier, key);
  });

  test("with another secret is not the one that is remembered", async () => {
    const verifier = start();
    const key = newKey();
    await verifier.verify(key);
    const forged = key.slice(0, 20) + (key[20] === "A" ? "B" : "A") + key.slice(21);
    await refused(verifier, forged);
    await refused(verifier, key.slice(0, -1));
  });
});

describe("a token", () => {
  test("that is remembered is refused the moment it is revoked", async () => {
    const verifier = start();
    const token = participantToken();
    const caller = await verifier.verify(token);
    expect(await verifier.verify(token)).toBe(caller);
    await revocations.revoke({ userId: "ada" });
    await refused(verifier, token);
  });

  test("that is remembered is refused past its end and the tolerance", async () => {
    const verifier = start();
    const token = participantToken(60);
    await verifier.verify(token);
    await clock.advance(69_999);
    expect(await verifier.verify(token)).toMatchObject({ userId: "ada" });
    await clock.advance(1);
    await refused(verifier, token);
  });

  test("of an OIDC issuer is verified there, and again after a minute", async () => {
    const user: UserCaller = {
      kind: "user",
      userId: "ada",
      issuer: "https://issuer.example",
      subject: "ada",
      expireTime: new Date(nowMs + 3600_000),
    };
    const seen: string[] = [];
    const verifier = start({
      oidc: {
        verify: async () => {
          reads += 1;
          return user;
        },
      },
      onUser: ({ userId }) => void seen.push(userId),
    });
    const head = Buffer.from('{"alg":"RS256","kid":"k"}').toString("base64url");
    const token = `${head}.e30.AAAA`;
    expect(await verifier.verify(token)).toBe(user);
    await verifier.verify(token);
    expect(reads).toBe(1);
    await clock.advance(60_000);
    await verifier.verify(token);
    expect(reads).toBe(2);
    expect(seen).toEqual(["ada", "ada"]);
  });

  test("with the shared secret is never shown to an OIDC issuer", async () => {
    const verifier = start({ oidc: { verify: () => Promise.reject(new Error("asked")) } });
    const login = issueUserToken({ userId: "ada", ttlSeconds: 60 }, settings, clock.now()).token;
    expect(await verifier.verify(login)).toMatchObject({ kind: "user", userId: "ada" });
    expect(await verifier.verify(participantToken())).toMatchObject({ kind: "participant" });
    await refused(verifier, `${login}x`);
  });

  test("that is bad is looked at each time and never remembered", async () => {
    const verifier = start();
    const bad = `${participantToken()}x`;
    await refused(verifier, bad);
    await refused(verifier, bad);
  });
});

test("the least recently used makes room for a new one", async () => {
  const verifier = start({ maxRemembered: 2 });
  const [one, two, three] = [newKey(), newKey(), newKey()];
  for (const key of [one, two, one, three, one]) await verifier.verify(key);
  expect(reads).toBe(3);
  await verifier.verify(two);
  expect(reads).toBe(4);
});

test("no credential is kept in memory, only its hash", async () => {
  const verifier = start();
  const token = participantToken();
  await verifier.verify(token);
  const { inspect } = await import("node:util");
  expect(inspect(verifier, { depth: 10, showHidden: true })).not.toContain(token.slice(-20));
});
