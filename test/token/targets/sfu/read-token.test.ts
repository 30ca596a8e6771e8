/** Tokens of the SFU as Parley itself reads them: who they are, and which are no good though the SFU would take them. */
import { describe, expect, test } from "vitest";
import { hmacKey } from "../../../../src/token/jwt/jwt-key.ts";
import { signJwt } from "../../../../src/token/jwt/sign-jwt.ts";
import { readSfuToken } from "../../../../src/token/targets/sfu/read-token.ts";
import { issueSfuToken } from "../../../../src/token/targets/sfu/issue-token.ts";

const nowMs = 1_700_000_000_000;
const now = nowMs / 1000;
const sfu = { url: "wss://sfu.example.com", jwtSecret: "an-sfu-secret-of-32-bytes-at-least!!" };
const claims = { user_id: "ada", room: "r", user_type: "presenter", iat: now, exp: now + 600 };
const sign = (more: object = {}, secret = sfu.jwtSecret) => signJwt({ ...claims, ...more }, hmacKey(secret));
const read = (token: string) => readSfuToken(token, sfu, nowMs);

test("one that Parley made tells who comes into which room, as what, and until when", () => {
  const request = { userId: "ada", roomName: "r", userType: "host", ttlSeconds: 60 } as const;
  expect(read(issueSfuToken(request, sfu, nowMs).token)).toMatchObject({
    kind: "participant",
    userId: "ada",
    roomName: "r",
    participantIdentity: "ada",
    userType: "host",
    issueTime: new Date(nowMs),
    expireTime: new Date(nowMs + 60_000),
  });
});

test("two tokens have two ids, and an id says nothing of its token", () => {
  const [one, other] = [sign(), sign({ email: "a@example.com" })];
  expect(read(one).tokenId).not.toBe(read(other).tokenId);
  expect(read(one).tokenId).toMatch(/^sfu-[0-9a-f]{32}$/);
});

test.each([undefined, "participant", "HOST", 7])("a user type that is not known, %s, says least", (type) => {
  expect(read(sign({ user_type: type })).userType).toBe("viewer");
});

describe("is no good", () => {
  test.each<[string, () => string, string]>([
    ["another secret", () => sign({}, "another-secret-of-32-bytes-at-least!"), "signature"],
    [
      "no algorithm",
      () => `${Buffer.from('{"alg":"none"}').toString("base64url")}.${sign().split(".")[1]!}.`,
      "algorithm",
    ],
    ["no end", () => sign({ exp: undefined }), "claim"],
    ["an end that is past", () => sign({ exp: now - 11 }), "expired"],
    ["a lifetime of more than a day", () => sign({ exp: now + 2 * 86_400 }), "lifetime"],
    ["no user", () => sign({ user_id: undefined }), "claim"],
    ["an empty user", () => sign({ user_id: "" }), "claim"],
    ["no room, which for the SFU is the room `default`", () => sign({ room: undefined }), "claim"],
    ["a room that is no name", () => sign({ room: "a\0b" }), "claim"],
  ])("%s", (_, token, code) => {
    expect(() => read(token())).toThrow(expect.objectContaining({ code }) as Error);
  });

  test("any, without a secret", () => {
    expect(() => readSfuToken(sign(), undefined, nowMs)).toThrow(
      expect.objectContaining({ code: "algorithm" }) as Error,
    );
  });
});
