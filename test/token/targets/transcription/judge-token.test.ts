/** What Parley says of tokens of its own: transcription tokens, logins and refresh tokens. */
import { describe, expect, test } from "vitest";
import { issueRefreshToken, makeFamilyId } from "../../../../src/token/refresh/refresh-token.ts";
import { TokenError } from "../../../../src/token/token-error.ts";
import {
  judgeOwnToken,
  judgeTranscriptionToken,
} from "../../../../src/token/targets/transcription/judge-token.ts";
import type { OwnTokenSettings } from "../../../../src/token/targets/transcription/judge-token.ts";
import type { TokenQuestion, Verdict } from "../../../../src/token/targets/verdict.ts";
import {
  header,
  makeToken,
  now,
  nowMs,
  settings,
  transcriptionClaims,
  userClaims,
  without,
} from "../../make-token.ts";

const nothingRevoked: OwnTokenSettings["revocations"] = { check: (caller) => caller, isRevoked: () => false };
const own: OwnTokenSettings = { jwt: settings, revocations: nothingRevoked };
const allRevoked: OwnTokenSettings = {
  jwt: settings,
  revocations: {
    check() {
      throw new TokenError("revoked", "the token was revoked");
    },
    isRevoked: () => true,
  },
};
const familyId = makeFamilyId(nowMs);
const refresh = issueRefreshToken(
  {
    grant: {
      userId: "ada",
      roomName: "room",
      participantIdentity: "ada",
      userType: "guest",
      targets: ["jitsi"],
    },
    familyId,
    generation: 1,
  },
  settings,
  nowMs,
);

const transcription = makeToken(transcriptionClaims);
const login = makeToken(userClaims);
const withClaims = (changes: object) => makeToken({ ...transcriptionClaims, ...changes });
const judge = (token: string, question: TokenQuestion = {}, atMs = nowMs): Verdict =>
  judgeOwnToken(token, question, own, atMs);

describe("a token of Parley's own", () => {
  test("is good for what it was made for, and told of", () => {
    expect(judge(transcription)).toEqual({
      reason: "ok",
      detail: "",
      kind: "transcription",
      claims: transcriptionClaims,
      expireTime: new Date(transcriptionClaims.exp * 1000),
    });
    expect(judge(login)).toMatchObject({ reason: "ok", kind: "user", claims: userClaims });
    expect(judge(refresh)).toMatchObject({
      reason: "ok",
      kind: "refresh",
      claims: { aud: "parley-refresh", fam: familyId },
    });
  });

  test("is for its room, where it is for one", () => {
    for (const token of [transcription, refresh]) {
      expect(judge(token, { roomName: "room" }).reason).toBe("ok");
      expect(judge(token, { roomName: "Room" })).toMatchObject({
        reason: "room",
        detail: expect.stringMatching(/room/) as string,
      });
    }
    expect(judge(login, { roomName: "any" }).reason).toBe("ok");
  });

  test("opens Transcribe only if it was made for that", () => {
    const opens = (token: string) => judgeTranscriptionToken(token, {}, own, nowMs);
    expect(opens(transcription).reason).toBe("ok");
    expect(opens(login)).toMatchObject({
      reason: "audience",
      detail: "a user's login opens no stream",
      kind: "user",
    });
    expect(opens(refresh)).toMatchObject({ reason: "malformed", kind: "refresh" });
  });

  test("is refused once it was revoked", () => {
    expect(judgeOwnToken(transcription, {}, allRevoked, nowMs).reason).toBe("revoked");
    expect(judgeOwnToken(refresh, {}, allRevoked, nowMs).reason).toBe("revoked");
  });

  test.each<[string, string, Verdict["reason"], string]>([
    [
      "expired a minute ago",
      withClaims({ exp: now - 60, iat: now - 600, nbf: now - 600 }),
      "expired",
      "exp passed 60 s ago; Parley allows 10 s",
    ],
    [
      "good from tomorrow on",
      withClaims({ nbf: now + 80_000, exp: now + 86_000, iat: now }),
      "not-yet-valid",
      "nbf lies 22 h ahead; Parley allows 10 s",
    ],
    [
      "issued in the future",
      withClaims({ iat: now + 11 }),
      "not-yet-valid",
      "iat lies 11 s ahead; Parley allows 10 s",
    ],
    [
      "good for a month",
      withClaims({ exp: now + 30 * 86_400 }),
      "lifetime",
      "it is good for 2592000 s; Parley allows 86400 s",
    ],
    ["without exp", makeToken(without(transcriptionClaims, "exp")), "claim", "exp is required"],
    ["of another issuer", withClaims({ iss: "x" }), "issuer", "the issuer is another one"],
  ])("that is %s is refused in words and figures", (_, token, reason, detail) => {
    expect(judge(token)).toMatchObject({ reason, detail });
  });

  test("is judged at both sides of the tolerance", () => {
    const at = (seconds: number) =>
      judge(transcription, {}, (transcriptionClaims.exp + seconds) * 1000).reason;
    expect([at(9), at(10)]).toEqual(["ok", "expired"]);
  });

  test("tells nothing but the reason when it is signed by somebody else, or by nobody", () => {
    const canary = { ...transcriptionClaims, roomName: "canary", userId: "canary", exp: now - 1000 };
    for (const token of [
      makeToken(canary, header, "another-secret-of-32-bytes-at-least!"),
      makeToken(canary, { alg: "none", typ: "canary" }, "x"),
      makeToken(canary, { ...header, kid: "canary/../canary" }),
      `${makeToken(canary).split(".").slice(0, 2).join(".")}.`,
    ]) {
      const verdict = judge(token);
      expect(Object.keys(verdict).sort()).toEqual(["detail", "reason"]);
      expect(JSON.stringify(verdict)).not.toContain("canary");
    }
  });
});
