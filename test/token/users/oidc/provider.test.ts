/** Logins at a real OpenID Connect provider: one, several at once, with new keys, and away. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openOidcUsers } from "./open-oidc-users.ts";
import { apiAudience, clientId, makeProviderKey, startProvider } from "./start-provider.ts";
import type { LogIn, ProviderOptions, TestProvider } from "./start-provider.ts";

const coolMs = 30_000;
const audience = apiAudience;

const start = async (options: ProviderOptions): Promise<TestProvider> => {
  const provider = await startProvider(options);
  onTestFinished(() => provider.stop());
  return provider;
};
const issuersOf = (...providers: TestProvider[]) => providers.map(({ issuer }) => ({ issuer }));
const keyRequests = ({ requests }: TestProvider) => requests.get("/jwks") ?? 0;

describe("one provider", () => {
  let provider: TestProvider;
  let ada: LogIn;
  beforeAll(async () => {
    const extraClaims = { azp: "https://app.example", name: "Ada", email: "ada@example.com" };
    provider = await startProvider({ keys: [makeProviderKey("ES256", "es")], extraClaims });
    ada = await provider.logIn("ada");
  });
  afterAll(() => provider.stop());

  test("whoever logged in there is a user here", async () => {
    const { verify } = openOidcUsers({ issuers: issuersOf(provider), audience });
    const before = Math.floor(Date.now() / 1000);
    const caller = await verify(ada.accessToken);
    expect(caller).toEqual({
      kind: "user",
      userId: "ada",
      issuer: provider.issuer,
      subject: "ada",
      displayName: "Ada",
      email: "ada@example.com",
      expireTime: expect.any(Date) as Date,
    });
    expect(Math.abs(caller.expireTime.getTime() / 1000 - before - 3600)).toBeLessThan(600);
    expect(await verify(await provider.clientToken())).toMatchObject({ userId: clientId });
  });

  test("its keys are fetched once, at the first token", async () => {
    const before = keyRequests(provider);
    const { verdict } = openOidcUsers({ issuers: issuersOf(provider), audience });
    expect(keyRequests(provider)).toBe(before);
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => verdict(ada.accessToken)));
    expect(new Set(verdicts)).toEqual(new Set(["ok"]));
    expect(await verdict(ada.accessToken)).toBe("ok");
    expect(keyRequests(provider)).toBe(before + 1);
  });

  test("the address of its keys may be given; then there is no discovery", async () => {
    const { requests, issuer } = provider;
    const discoveries = () => requests.get("/.well-known/openid-configuration");
    const before = discoveries();
    const issuers = [{ issuer, jwksUrl: `${issuer}/jwks` }];
    expect(await openOidcUsers({ issuers, audience }).verdict(ada.accessToken)).toBe("ok");
    expect(discoveries()).toBe(before);
  });

  test("class 27: its ID token and its refresh token are no access tokens", async () => {
    const { verdict } = openOidcUsers({ issuers: issuersOf(provider), audience });
    expect(await verdict(ada.idToken)).toBe("claim");
    expect(await verdict(ada.refreshToken)).toBe("malformed");
    // Nor where the API goes by the app's name.
    expect(
      await openOidcUsers({ issuers: issuersOf(provider), audience: clientId }).verdict(ada.idToken),
    ).toBe("claim");
  });

  test("class 25: a token for another API is refused, and one for any API where none is named", async () => {
    const issuers = issuersOf(provider);
    const authorizedParties = ["https://app.example"];
    expect(await openOidcUsers({ issuers, audience: "https://other.example" }).verdict(ada.accessToken)).toBe(
      "audience",
    );
    expect(await openOidcUsers({ issuers, authorizedParties }).verdict(ada.accessToken)).toBe("audience");
  });

  test("class 29: a token that was made for another app is refused", async () => {
    const open = (...authorizedParties: string[]) =>
      openOidcUsers({ issuers: issuersOf(provider), audience, authorizedParties });
    expect(await open("https://app.example").verdict(ada.accessToken)).toBe("ok");
    expect(await open("x", "https://app.example").verdict(ada.accessToken)).toBe("ok");
    expect(await open("https://app.example/").verdict(ada.accessToken)).toBe("audience");
    expect(await open(clientId).verdict(ada.accessToken)).toBe("audience"); // azp counts, where there is one
  });

  test("health tells of its keys and of nothing secret", async () => {
    const { users, verify, clock } = openOidcUsers({ issuers: issuersOf(provider), audience });
    const { issuer } = provider;
    expect(users.health()).toEqual([{ issuer, keyCount: 0 }]);
    await verify(ada.accessToken);
    expect(users.health()).toEqual([{ issuer, keyCount: 1, fetchTime: new Date(clock.now()) }]);
  });
});

test.each(["RS256", "PS256", "ES384", "EdDSA"] as const)("a provider may sign with %s", async (alg) => {
  const provider = await start({ keys: [makeProviderKey(alg, alg)] });
  const { verify } = openOidcUsers({ issuers: issuersOf(provider), audience });
  expect(await verify(await provider.clientToken())).toMatchObject({ userId: clientId });
});

test("class 29: where a token has no azp, its client_id says for whom it was made", async () => {
  const provider = await start({ keys: [makeProviderKey("ES256", "k")] });
  const token = await provider.clientToken();
  const open = (...authorizedParties: string[]) =>
    openOidcUsers({ issuers: issuersOf(provider), audience, authorizedParties });
  expect(await open(clientId).verdict(token)).toBe("ok");
  expect(await open("another-app").verdict(token)).toBe("audience");
});

test("two providers at once: each for its own, and people of one name are two people", async () => {
  const first = await start({ keys: [makeProviderKey("ES256", "same-kid")] });
  const second = await start({ keys: [makeProviderKey("ES256", "same-kid")], path: "/realms/b" });
  const { verify } = openOidcUsers({ issuers: issuersOf(first, second), audience });
  const [one, other] = [await first.logIn("ada"), await second.logIn("ada")];
  expect(await verify(one.accessToken)).toMatchObject({ userId: "ada", issuer: first.issuer });
  expect(await verify(other.accessToken)).toMatchObject({
    userId: `oidc:127.0.0.1%3A${second.port}/realms/b:ada`,
    issuer: second.issuer,
    subject: "ada",
  });
  const { verdict } = openOidcUsers({ issuers: issuersOf(second), audience });
  expect(await verdict(one.accessToken)).toBe("issuer");
  expect(await verdict(other.accessToken)).toBe("ok");
});

describe("a provider that changes its keys", () => {
  const [oldKey, newKey] = [makeProviderKey("ES256", "old"), makeProviderKey("ES256", "new")];

  test("tokens of the new key get in after one fetch, and those of the old one until it is withdrawn", async () => {
    const before = await start({ keys: [oldKey] });
    const { port } = before;
    const { verdict, clock } = openOidcUsers({ issuers: issuersOf(before), audience });
    const ofOld = await before.clientToken();
    expect(await verdict(ofOld)).toBe("ok");
    await before.stop();

    const both = await start({ port, keys: [newKey, oldKey] });
    const ofNew = await both.clientToken();
    await clock.advance(coolMs);
    expect(await Promise.all(Array.from({ length: 10 }, () => verdict(ofNew)))).toEqual(Array(10).fill("ok"));
    expect(await verdict(ofOld)).toBe("ok");
    expect(keyRequests(both)).toBe(1);
    await both.stop();

    const after = await start({ port, keys: [newKey] });
    await clock.advance(600_000);
    expect(await verdict(ofOld)).toBe("ok"); // and its keys are fetched again, in the background
    await expect.poll(() => verdict(ofOld)).toBe("signature");
    expect(await verdict(ofNew)).toBe("ok");
    expect(keyRequests(after)).toBe(1);
  });

  test("a key that came within the cooldown is taken when it is over", async () => {
    const before = await start({ keys: [oldKey] });
    const { verdict, clock } = openOidcUsers({ issuers: issuersOf(before), audience });
    expect(await verdict(await before.clientToken())).toBe("ok");
    await before.stop();
    const after = await start({ port: before.port, keys: [newKey] });
    const ofNew = await after.clientToken();
    await clock.advance(coolMs - 1);
    expect(await verdict(ofNew)).toBe("signature");
    await clock.advance(1);
    expect(await verdict(ofNew)).toBe("ok");
  });
});

describe("class 37: a provider that is away", () => {
  test("its last good keys go on for a day, and then there are none", async () => {
    const provider = await start({ keys: [makeProviderKey("ES256", "k")] });
    const { verdict, users, clock, problems } = openOidcUsers({ issuers: issuersOf(provider), audience });
    const token = await provider.clientToken();
    expect(await verdict(token)).toBe("ok");
    await provider.stop();
    for (const hours of [1, 22.9]) {
      await clock.advance(hours * 3_600_000);
      expect(await verdict(token)).toBe("ok");
      await expect.poll(() => users.health()[0]?.problem).toBeDefined();
    }
    expect(problems[0]).toBe(`${provider.issuer}: its discovery document cannot be fetched (ECONNREFUSED)`);
    expect(users.health()).toMatchObject([{ keyCount: 1 }]);
    await clock.advance(0.1 * 3_600_000);
    expect(await verdict(token)).toBe("unavailable");
    expect(users.health()).toMatchObject([{ keyCount: 0 }]);
  });

  test("a server that never had its keys can tell nobody, and lets them in soon after it is back", async () => {
    const key = makeProviderKey("ES256", "k");
    const provider = await start({ keys: [key] });
    const token = await provider.clientToken();
    await provider.stop();
    const { verdict, clock } = openOidcUsers({ issuers: issuersOf(provider), audience });
    expect(await verdict(token)).toBe("unavailable");
    await start({ keys: [key], port: provider.port });
    expect(await verdict(token)).toBe("unavailable");
    await clock.advance(5_000);
    expect(await verdict(token)).toBe("ok");
  });
});
