/** Tokens for rooms: fresh each time, by the user's own right while there is one, and by a refresh token once after it. */
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { signal } from "@preact/signals";
import { beforeEach, expect, test } from "vitest";
import { UserType } from "../../../gen/ts/parley/token/v1/room_pb.ts";
import { TokenService } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import { readTokenOwner } from "../../../src/web/session/read-claims.ts";
import { SignInError } from "../../../src/web/session/sign-in-error.ts";
import type { CurrentUser } from "../../../src/web/session/sign-in.ts";
import { createTranscriptionTokens } from "../../../src/web/session/transcription-tokens.ts";
import { participantToken, userToken } from "./make-token.ts";

let nowMs = 0;
let made = 0;
let isUserExpired = false;
let isServerAway = false;
let refreshed: string[] = [];
let asked: string[] = [];
beforeEach(() => {
  nowMs = 0;
  made = 0;
  isUserExpired = false;
  isServerAway = false;
  refreshed = [];
  asked = [];
});

const answer = (roomName: string) => {
  made += 1;
  return {
    roomName,
    participantIdentity: "ada",
    userType: UserType.HOST,
    transcriptionToken: `t${made}`,
    refreshToken: `r${made}`,
  };
};
const service = createClient(
  TokenService,
  createRouterTransport(({ service }) => {
    service(TokenService, {
      createSessionTokens({ roomName, interviewType }) {
        asked.push(roomName || `new ${interviewType}`);
        if (isServerAway) throw new ConnectError("away", Code.Unavailable);
        if (roomName === "closed") throw new ConnectError("not yours", Code.PermissionDenied);
        return answer(roomName || "practice-ada-1");
      },
      refreshToken({ refreshToken }) {
        refreshed.push(refreshToken);
        return { tokens: answer("talk") };
      },
    });
  }),
);
const open = (token: string) =>
  createTranscriptionTokens({
    now: () => nowMs,
    signIn: {
      user: signal<CurrentUser>({ ...readTokenOwner(token), via: "token" }),
      accessToken: async () => token,
    },
    tokens: {
      async createSessionTokens(request) {
        // As it comes out of a client whose interceptor has no token to put on the call.
        if (isUserExpired) throw ConnectError.from(new SignInError("expired", "sign in again"));
        return service.createSessionTokens(request);
      },
      refreshToken: (request) => service.refreshToken(request),
    },
  });

test("without a name a new room is entered, which then has a name", async () => {
  const room = await open(userToken()).enter();
  expect(room).toMatchObject({ roomName: "practice-ada-1", participantIdentity: "ada", maySpeak: true });
  expect(await room.token()).toBe("t1");
  expect(await room.token()).toBe("t2");
  expect(asked).toEqual(["new practice", "practice-ada-1"]);
});

test("a token that lay for a minute is not handed out as fresh", async () => {
  const room = await open(userToken()).enter("talk");
  nowMs += 60_000;
  expect(await room.token()).toBe("t2");
});

test("a room that the user may not enter is the server's to refuse", async () => {
  await expect(open(userToken()).enter("closed")).rejects.toMatchObject({ code: Code.PermissionDenied });
});

test("when the user's sign-in is over, the refresh token gives the next ones, each used once", async () => {
  const room = await open(userToken()).enter("talk");
  await room.token();
  isUserExpired = true;
  expect(await room.token()).toBe("t2");
  expect(await room.token()).toBe("t3");
  expect(refreshed).toEqual(["r1", "r2"]);
});

test("a server that is away costs no refresh token", async () => {
  const room = await open(userToken()).enter("talk");
  await room.token();
  isServerAway = true;
  await expect(room.token()).rejects.toMatchObject({ code: Code.Unavailable });
  expect(refreshed).toEqual([]);
  isUserExpired = true;
  expect(await room.token()).toBe("t2");
  expect(refreshed).toEqual(["r1"]);
});

test("a pasted transcription token opens its room and no other", async () => {
  const token = participantToken({ userType: "VIEWER" });
  const tokens = open(token);
  const room = await tokens.enter();
  expect(room).toMatchObject({ roomName: "talk", maySpeak: false });
  expect(await room.token()).toBe(token);
  await expect(tokens.enter("elsewhere")).rejects.toMatchObject({ code: "room" });
  expect(made).toBe(0);
});
