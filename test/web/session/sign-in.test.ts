/** A sign-in over its life: kept for the tab, renewed before it expires, and asked for again when nothing else helps. */
import { beforeEach, expect, test } from "vitest";
import { SignInError } from "../../../src/web/session/sign-in-error.ts";
import { SignIn, type Credential, type Renewal } from "../../../src/web/session/sign-in.ts";
import { userToken } from "./make-token.ts";

const hourMs = 3_600_000;
const tokenUntil = (ms: number) => userToken({ exp: ms / 1000, jti: ms });
const renewal: Renewal = {
  refreshToken: "r1",
  tokenEndpoint: "https://id.example/token",
  clientId: "studio",
};
const oidc = (expiresAtMs: number): Credential => ({
  via: "oidc",
  accessToken: tokenUntil(expiresAtMs),
  renewal,
});

let nowMs: number;
let kept: Map<string, string>;
let revoked: string[];
/** What the provider answers, one after the other. */
let answers: (Credential | Error)[];
let renewCount: number;

beforeEach(() => {
  nowMs = 10 * hourMs;
  kept = new Map();
  revoked = [];
  answers = [];
  renewCount = 0;
});

function open(): SignIn {
  return new SignIn({
    storage: {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
    },
    async renew() {
      renewCount += 1;
      await Promise.resolve();
      const answer = answers.shift();
      if (answer instanceof Error || answer === undefined) throw answer ?? new Error("not asked for");
      return answer;
    },
    revoke: async ({ refreshToken }) => void revoked.push(refreshToken),
    now: () => nowMs,
  });
}
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "none",
    (error: unknown) => (error instanceof SignInError ? error.code : "another error"),
  );

test("nobody is signed in at first", async () => {
  const signIn = open();
  expect(signIn.user.value).toBeUndefined();
  expect(await codeOf(signIn.accessToken())).toBe("signed-out");
});

test("a sign-in outlasts a reload of the page, and ends with signing out", async () => {
  open().accept({ via: "token", accessToken: tokenUntil(nowMs + hourMs) });
  const reloaded = open();
  expect(reloaded.user.value).toMatchObject({ kind: "user", userId: "ada", via: "token" });
  expect(await reloaded.accessToken()).toBe(tokenUntil(nowMs + hourMs));
  reloaded.signOut();
  expect(reloaded.user.value).toBeUndefined();
  expect(open().user.value).toBeUndefined();
});

test.each(["{", "{}", '{"accessToken":"nonsense"}', "null"])(
  "what was kept and is %s counts as nothing",
  (text) => {
    open().accept({ via: "token", accessToken: tokenUntil(nowMs + hourMs) });
    kept.set([...kept.keys()][0]!, text);
    expect(open().user.value).toBeUndefined();
  },
);

test("what is no token changes nothing", () => {
  const signIn = open();
  expect(() => signIn.accept({ via: "token", accessToken: "no token" })).toThrow(/not a token/);
  expect(signIn.user.value).toBeUndefined();
  expect(kept.size).toBe(0);
});

test("a token is renewed shortly before it expires, once for all who ask, and kept", async () => {
  const signIn = open();
  signIn.accept(oidc(nowMs + 31_000));
  expect(await signIn.accessToken()).toBe(tokenUntil(nowMs + 31_000));
  nowMs += 2_000;
  const next = oidc(nowMs + hourMs);
  answers = [next];
  expect(await Promise.all([signIn.accessToken(), signIn.accessToken()])).toEqual([
    next.accessToken,
    next.accessToken,
  ]);
  expect(renewCount).toBe(1);
  expect(await open().accessToken()).toBe(next.accessToken);
});

test("while the provider is away the old token goes on, until it has expired", async () => {
  const signIn = open();
  signIn.accept(oidc(nowMs + 10_000));
  const away = () => new SignInError("provider", "away", { retryable: true });
  answers = [away(), away()];
  expect(await signIn.accessToken()).toBe(tokenUntil(nowMs + 10_000));
  nowMs += 11_000;
  expect(await codeOf(signIn.accessToken())).toBe("provider");
  expect(signIn.hasExpired.value).toBe(false); // another try may help
});

test("a refresh token that is not good any more asks for a new sign-in", async () => {
  const signIn = open();
  signIn.accept(oidc(nowMs - 1));
  answers = [new SignInError("provider", "invalid_grant")];
  expect(await codeOf(signIn.accessToken())).toBe("expired");
  expect(signIn.hasExpired.value).toBe(true);
  expect(signIn.user.value).toMatchObject({ userId: "ada" }); // the page stays as it is
  signIn.accept(oidc(nowMs + hourMs));
  expect(signIn.hasExpired.value).toBe(false);
});

test("a pasted token that has expired asks for a new sign-in", async () => {
  const signIn = open();
  signIn.accept({ via: "token", accessToken: tokenUntil(nowMs + 1000) });
  nowMs += 2000;
  expect(await codeOf(signIn.accessToken())).toBe("expired");
  expect(signIn.hasExpired.value).toBe(true);
});

test("a token that the server refuses is renewed where it can be", async () => {
  const signIn = open();
  signIn.accept(oidc(nowMs + hourMs));
  const next = oidc(nowMs + 2 * hourMs);
  answers = [next];
  expect(await signIn.refuse(tokenUntil(nowMs + hourMs))).toBe(true);
  expect(await signIn.accessToken()).toBe(next.accessToken);
  expect(await signIn.refuse(tokenUntil(nowMs + hourMs))).toBe(true); // one that is replaced already
  expect(renewCount).toBe(1);
});

test("a pasted token that the server refuses asks for a new sign-in", async () => {
  const signIn = open();
  signIn.accept({ via: "token", accessToken: tokenUntil(nowMs + hourMs) });
  expect(await signIn.refuse(tokenUntil(nowMs + hourMs))).toBe(false);
  expect(signIn.hasExpired.value).toBe(true);
});

test("signing out takes the refresh token back, and a renewal under way does not sign in again", async () => {
  const signIn = open();
  signIn.accept(oidc(nowMs - 1));
  answers = [oidc(nowMs + hourMs)];
  const renewing = signIn.accessToken();
  signIn.signOut();
  await renewing;
  expect(revoked[0]).toBe("r1");
  expect(signIn.user.value).toBeUndefined();
  expect(kept.size).toBe(0);
});

test("a renewal that ends after signing out leaves nothing: neither its tokens, nor word of an expired sign-in", async () => {
  const signIn = open();
  signIn.accept(oidc(nowMs - 1));
  answers = [{ ...oidc(nowMs + hourMs), renewal: { ...renewal, refreshToken: "r2" } }];
  const renewing = signIn.accessToken();
  signIn.signOut();
  await renewing;
  expect(revoked).toEqual(["r1", "r2"]);
  signIn.accept(oidc(nowMs - 1));
  answers = [new SignInError("provider", "no")];
  const failing = codeOf(signIn.accessToken());
  signIn.signOut();
  expect(await failing).toBe("signed-out");
  expect(signIn.hasExpired.value).toBe(false);
});
