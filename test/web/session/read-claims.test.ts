/** Whose token was pasted, and what is said of texts that are no token. */
import { expect, test } from "vitest";
import { decodeClaims, readTokenOwner, TokenTextError } from "../../../src/web/session/read-claims.ts";
import { makeToken, participantToken, userToken } from "./make-token.ts";

test("a user token names its user, and when it expires", () => {
  const owner = readTokenOwner(userToken({ name: "Ada Lovelace — ÄÖ", exp: 1_800_000_000 }));
  expect(owner).toEqual({
    kind: "user",
    userId: "ada",
    displayName: "Ada Lovelace — ÄÖ",
    expireTime: new Date(1_800_000_000_000),
  });
  expect(readTokenOwner(userToken())).toEqual({ kind: "user", userId: "ada", displayName: "ada" });
});

test("a transcription token names its room, and whether its bearer may speak", () => {
  expect(readTokenOwner(participantToken())).toMatchObject({
    kind: "participant",
    roomName: "talk",
    participantIdentity: "ada",
    maySpeak: true,
  });
  expect(readTokenOwner(participantToken({ userType: "VIEWER" }))).toMatchObject({ maySpeak: false });
});

test.each([
  ["nothing", "", /Paste a token/],
  ["words", "hello there", /three parts/],
  ["two parts", "e30.e30", /three parts/],
  ["four parts", "e30.e30.e30.e30", /three parts/],
  ["no base64", "a.!.c", /three parts/],
  ["no JSON", "e30.aGVsbG8.c", /three parts/],
  ["JSON that is no object", `e30.${btoa("3")}.c`, /three parts/],
  ["an API key", "pk_1234_secret", /API key/],
  ["a refresh token", makeToken({ aud: "parley-refresh", sub: "ada" }), /refresh token/],
  ["a token of something else", makeToken({ video: { room: "x" } }), /another server/],
])("%s is refused in words", (_, text, words) => {
  expect(() => readTokenOwner(text)).toThrow(TokenTextError);
  expect(() => readTokenOwner(text)).toThrow(words);
});

test("an API key is not repeated in the message", () => {
  expect(() => readTokenOwner("pk_1234_secret")).not.toThrow(/secret/);
});

test("what is no token has no claims", () => {
  expect(decodeClaims("a.b")).toBeUndefined();
  expect(decodeClaims(userToken())).toMatchObject({ sub: "ada" });
});
