/** CreateJitsiToken: who may have which token, over the whole service. */
import { Code, ConnectError } from "@connectrpc/connect";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { UserType } from "../../../../src/token/rooms/room-store.ts";
import { userTypeRights } from "../../../../src/token/rooms/user-types.ts";
import { judgeJitsiToken } from "../../../../src/token/targets/jitsi/judge-token.ts";
import { issueUserToken } from "../../../../src/token/users/user-token.ts";
import { settings } from "../../../token/make-token.ts";
import { jitsi, startInMemoryServer } from "./in-memory-server.ts";
import type { InMemoryServer } from "./in-memory-server.ts";

let server: InMemoryServer;
let bare: InMemoryServer;
let tokensKey: string;
const members: readonly UserType[] = ["host", "presenter", "guest", "viewer"];

async function haveRoom(roomName: string, ownerUserId: string, createTime = new Date()): Promise<void> {
  const invited = members.map((userType) => ({ userId: userType, userType }));
  await server.storage.rooms.create({
    roomName,
    ownerUserId,
    access: "invited",
    members: invited,
    createTime,
  });
}

beforeAll(async () => {
  server = await startInMemoryServer({ jitsi });
  server.time.nowMs = Math.floor(Date.now() / 1000) * 1000; // a whole second, so that lifetimes are whole too
  bare = await startInMemoryServer({ storage: server.storage });
  tokensKey = await server.service("tokens");
  await haveRoom("Daily Talk", "olga");
});
afterAll(async () => {
  await bare.close();
  await server.close();
});

const asUser = (userId: string) => server.client(TokenService, server.user(userId));
const asService = () => server.client(TokenService, tokensKey);
/** One whose login says who they are. */
const asAda = () =>
  server.client(
    TokenService,
    issueUserToken(
      { userId: "guest", displayName: "Ada", email: "ada@example.com", ttlSeconds: 60 },
      settings,
      server.time.nowMs,
    ).token,
  );

async function errorOf(promise: Promise<unknown>): Promise<ConnectError> {
  const error = await promise.then(
    () => expect.unreachable("the call succeeded"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectError);
  return error as ConnectError;
}

function contextOf(token: string) {
  return decodeJwt(token)["context"] as { user: Record<string, unknown>; features?: Record<string, boolean> };
}

describe("a user", () => {
  test.each(members)(
    "who is a %s is let in by Prosody, and moderates on request if that is theirs",
    async (userId) => {
      const answer = await asUser(userId).createJitsiToken({ roomName: "Daily Talk" });
      expect(answer.url).toBe(`https://meet.example.com/Daily%20Talk?jwt=${answer.token}`);
      expect(answer.expiresIn).toBe(7200);
      const verdict = judgeJitsiToken(answer.token, { roomName: "daily talk" }, jitsi, server.time.nowMs);
      expect(verdict).toMatchObject({
        reason: "ok",
        moderation: { tokenAffiliation: false, tokenModeration: false },
      });
      const { features } = contextOf(answer.token);
      expect(features).toEqual(userId === "host" ? undefined : userTypeRights[userId].jitsi.features);

      const moderating = asUser(userId).createJitsiToken({ roomName: "Daily Talk", moderator: true });
      if (userId === "host") {
        const { token } = await moderating;
        expect(judgeJitsiToken(token, {}, jitsi, server.time.nowMs).moderation).toEqual({
          tokenAffiliation: true,
          tokenModeration: true,
        });
      } else {
        expect(await errorOf(moderating)).toMatchObject({
          code: Code.PermissionDenied,
          rawMessage: expect.stringMatching(/^moderator: /) as string,
        });
      }
    },
  );

  test("is shown as their login says, where they say nothing", async () => {
    const { token } = await asAda().createJitsiToken({ roomName: "Daily Talk" });
    expect(contextOf(token).user).toMatchObject({ id: "guest", name: "Ada", email: "ada@example.com" });
    const named = await asAda().createJitsiToken({
      roomName: "Daily Talk",
      userName: "A.",
      userEmail: "ada@example.com",
    });
    expect(contextOf(named.token).user).toMatchObject({ name: "A.", email: "ada@example.com" });
  });

  test.each<[string, object, RegExp]>([
    ["to be somebody else", { userId: "olga" }, /^user_id: /],
    ["another's address", { userEmail: "olga@example.com" }, /^user_email: /],
    ["to record", { features: { recording: true } }, /^features\.recording: /],
    ["to share their screen", { features: { "screen-sharing": true } }, /^features\.screen-sharing: /],
    ["a feature that nobody knows", { features: { canary: true } }, /^features: a user may ask only for/],
    ["every room", { roomName: "*" }, /^room_name: /],
    ["a pattern", { roomName: ".*" }, /^room_name: /],
    ["a pattern by the context", { context: { room: { regex: true } } }, /^context\.room: /],
    ["a room that is not theirs", { roomName: "Secret" }, /^room_name: /],
  ])("who is a guest is forbidden %s, and told what of it", async (_, request, message) => {
    const error = await errorOf(asAda().createJitsiToken({ roomName: "Daily Talk", ...request }));
    expect(error.code).toBe(Code.PermissionDenied);
    expect(error.rawMessage).toMatch(message);
    expect(error.rawMessage).not.toContain("canary");
  });

  test("does not get into a meeting by a room of their own that Jitsi takes for it", async () => {
    await haveRoom("Board-1", "olga", new Date("2026-01-01T00:00:00Z"));
    for (const namesake of ["board-1", "BOARD-1", "Ｂoard-1"]) {
      await server.storage.rooms.create({
        roomName: namesake,
        ownerUserId: "eve",
        access: "invited",
        members: [],
        createTime: new Date("2026-01-02T00:00:00Z"),
      });
      const error = await errorOf(asUser("eve").createJitsiToken({ roomName: namesake, moderator: true }));
      expect(error).toMatchObject({
        code: Code.PermissionDenied,
        rawMessage: expect.stringMatching(/^room_name: Jitsi/) as string,
      });
    }
    await expect(
      asUser("olga").createJitsiToken({ roomName: "Board-1", moderator: true }),
    ).resolves.toBeDefined();
    // The name stays olga's when she deletes the room, and so does the meeting.
    await server.storage.rooms.delete({ roomName: "Board-1" }, { lostRightId: "x" });
    expect((await errorOf(asUser("eve").createJitsiToken({ roomName: "board-1" }))).code).toBe(
      Code.PermissionDenied,
    );
  });
});

describe("a service", () => {
  test("gets just what it asks for", async () => {
    const answer = await asService().createJitsiToken({
      roomName: "Nowhere",
      userId: "u1",
      userName: "Eve",
      userEmail: "eve@example.com",
      avatarUrl: "https://example.com/e.png",
      group: "team",
      moderator: true,
      features: { recording: true, "name-readonly": true },
      context: { callee: { name: "x", nothing: null } },
      ttlSeconds: 60,
    });
    const { exp, nbf, ...claims } = decodeJwt(answer.token);
    expect(claims).toEqual({
      aud: "jitsi",
      iss: "app",
      sub: "meet.example.com",
      room: "nowhere",
      moderator: true,
      context: {
        callee: { name: "x" },
        user: {
          id: "u1",
          name: "Eve",
          email: "eve@example.com",
          avatar: "https://example.com/e.png",
          moderator: "true",
          affiliation: "owner",
        },
        group: "team",
        features: { recording: true, "name-readonly": true },
      },
    });
    expect(exp! - nbf!).toBe(70);
  });

  test("may bring a nameless guest", async () => {
    const { token } = await asService().createJitsiToken({ roomName: "r" });
    expect(decodeJwt(token)["context"]).toEqual({ user: { moderator: "false", affiliation: "member" } });
  });

  test.each<[string, object, RegExp]>([
    ["every room", { roomName: "*" }, /^room_name: /],
    ["a room that Jitsi has not", { roomName: "a&b" }, /^room_name: /],
    ["a room with a control character", { roomName: "a\u0007" }, /^room_name: /],
    ["no room", { roomName: "" }, /^room_name: /],
    ["a pattern by the context", { context: { room: { regex: true } } }, /^context\.room: /],
    ["a user in the context", { context: { user: { id: "canary" } } }, /^context\.user: /],
    ["too much context", { context: { a: "x".repeat(17_000) } }, /^context: /],
    ["a name that would end an XMPP stream", { userName: "canary\u0000" }, /^user_name: /],
    ["a group that would", { group: "canary\u0001" }, /^group: /],
    ["a picture that is a program", { avatarUrl: "javascript:canary()" }, /^avatar_url: /],
    ["no lifetime", { ttlSeconds: 0 }, /^ttl_seconds: /],
  ])("is told what is wrong with %s", async (_, request, message) => {
    const error = await errorOf(asService().createJitsiToken({ roomName: "r", ...request }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toMatch(message);
    expect(error.rawMessage).not.toContain("canary");
  });
});

test("without Jitsi one is told which variables to set", async () => {
  const error = await errorOf(bare.client(TokenService, tokensKey).createJitsiToken({ roomName: "r" }));
  expect(error).toMatchObject({
    code: Code.FailedPrecondition,
    rawMessage: "JITSI is not configured; set JITSI_DOMAIN, JITSI_APP_ID and JITSI_APP_SECRET",
  });
});

test("nothing of all this was an internal error", () => {
  expect([...server.internalErrors, ...bare.internalErrors]).toEqual([]);
});
