/** Tokens for the SFU: by jsonwebtoken, and by its own rules, which are those of golang-jwt v5. */
import jsonwebtoken from "jsonwebtoken";
import { describe, expect, test } from "vitest";
import { issueSfuToken } from "../../../../src/token/targets/sfu/issue-token.ts";
import { judgeSfuToken } from "../../../../src/token/targets/sfu/judge-token.ts";
import type { TokenQuestion, Verdict } from "../../../../src/token/targets/verdict.ts";
import { header, makeToken, now, nowMs, without } from "../../make-token.ts";

const settings = { url: "wss://sfu.example.com", jwtSecret: "an-sfu-secret-of-32-bytes-at-least!!" };
const request = {
  userId: "ada",
  email: "ada@example.com",
  roomName: "Talk",
  userType: "presenter",
  ttlSeconds: 3600,
} as const;
const claims = {
  user_id: "ada",
  email: "ada@example.com",
  room: "Talk",
  user_type: "host",
  iat: now,
  exp: now + 60,
};
const sign = (payload: unknown, head: unknown = header) => makeToken(payload, head, settings.jwtSecret);
const withClaims = (changes: object) => sign({ ...claims, ...changes });

describe("an SFU token", () => {
  test("is verified by jsonwebtoken, with the claims of the contract and no others", () => {
    const { token, expireTime } = issueSfuToken(request, settings, nowMs + 999);
    const { header: head, payload } = jsonwebtoken.verify(token, settings.jwtSecret, {
      algorithms: ["HS256"],
      clockTimestamp: now,
      complete: true,
    });
    expect(head).toEqual({ alg: "HS256", typ: "JWT" });
    expect(payload).toEqual({
      user_id: "ada",
      email: "ada@example.com",
      room: "Talk",
      user_type: "presenter",
      iat: now,
      exp: now + 3600,
    });
    expect(expireTime).toEqual(new Date((now + 3600) * 1000));
  });

  test("of one without an address has none", () => {
    const { token } = issueSfuToken({ ...without(request, "email"), userType: "guest" }, settings, nowMs);
    expect(jsonwebtoken.decode(token)).toEqual({
      user_id: "ada",
      room: "Talk",
      user_type: "guest",
      iat: now,
      exp: now + 3600,
    });
  });

  test("is let into its room", () => {
    const { token } = issueSfuToken(request, settings, nowMs);
    expect(judgeSfuToken(token, { roomName: "Talk" }, settings, nowMs)).toMatchObject({
      reason: "ok",
      detail: "",
      kind: "sfu",
    });
  });
});

describe("the SFU is shown a token with", () => {
  test.each<[string, string, Verdict["reason"], TokenQuestion?]>([
    ["all that it reads", sign(claims), "ok"],
    ["its room", sign(claims), "ok", { roomName: "Talk" }],
    ["its room in other case", sign(claims), "room", { roomName: "talk" }],
    [
      "no room, which leads into one of its own",
      sign(without(claims, "room")),
      "ok",
      { roomName: "default" },
    ],
    ["no room, for another", sign(without(claims, "room")), "room", { roomName: "Talk" }],
    ["nothing but the user", sign({ user_id: "ada" }), "ok"],
    ["no user", sign(without(claims, "user_id")), "claim"],
    ["an empty user", withClaims({ user_id: "" }), "claim"],
    ["a user that is a number", withClaims({ user_id: 5 }), "claim"],
    [
      "a room that is null, which is as good as none",
      withClaims({ room: null }),
      "ok",
      { roomName: "default" },
    ],
    ["an address that is a list", withClaims({ email: [] }), "claim"],
    ["exp just passed", withClaims({ exp: now }), "expired"],
    ["exp in a second", withClaims({ exp: now + 1 }), "ok"],
    ["exp in a string", withClaims({ exp: String(now + 60) }), "ok"],
    ["exp true", withClaims({ exp: true }), "claim"],
    ["nbf in a second", withClaims({ nbf: now + 1 }), "not-yet-valid"],
    ["a fraction of a second, which is cut off", withClaims({ nbf: now + 0.9 }), "ok"],
    ["iat in the future, which is not looked at", withClaims({ iat: now + 1000 }), "ok"],
    ["an audience and an issuer, which are not looked at", withClaims({ aud: ["x"], iss: "y" }), "ok"],
    ["an audience that is a number", withClaims({ aud: 5 }), "claim"],
    ["alg none", sign(claims, { alg: "none" }), "algorithm"],
    ["another secret", makeToken(claims, header, "another-secret-of-32-bytes-at-least!!"), "signature"],
    ["four parts", `${sign(claims)}.x`, "malformed"],
  ])("%s", (_, token, reason, question = {}) => {
    expect(judgeSfuToken(token, question, settings, nowMs).reason).toBe(reason);
  });

  test("an end that is told in figures", () => {
    const { detail } = judgeSfuToken(sign(claims), {}, settings, (claims.exp + 90) * 1000);
    expect(detail).toBe("exp passed 90 s ago; the SFU allows no leeway");
  });
});
