/** CreateSessionTokens for every target, and RefreshToken, as callers see them. */
import { Code, ConnectError } from "@connectrpc/connect";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { UserType } from "../../../../gen/ts/parley/token/v1/room_pb.ts";
import { Target, TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { CreateSessionTokensResponse } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import { rememberReserved } from "../../../../src/token/rooms/remember-reserved.ts";
import { issueUserToken } from "../../../../src/token/users/user-token.ts";
import { settings } from "../../../token/make-token.ts";
import { jitsi, livekit, sfu, startInMemoryServer } from "./in-memory-server.ts";
import type { InMemoryServer } from "./in-memory-server.ts";

let server: InMemoryServer;
let tokensKey: string;
let roomsKey: string;
let roomName: string;
let made = 0;
beforeAll(async () => {
  server = await startInMemoryServer({ livekit, jitsi, sfu });
  tokensKey = await server.service("tokens");
  roomsKey = await server.service("rooms");
});
beforeEach(async () => {
  server.time.nowMs += 1000;
  roomName = `room-${made++}`;
  await asUser("olga").createRoom({
    roomName,
    members: [
      { userId: "ada", userType: UserType.PRESENTER },
      { userId: "vic", userType: UserType.VIEWER },
    ],
  });
});
afterAll(() => server.close());

const everything = [Target.LIVEKIT, Target.TRANSCRIPTION, Target.JITSI, Target.SFU];
const as = (credential?: string) => server.client(TokenService, credential);
const asUser = (userId: string) => as(server.user(userId));
const nobody = () => as();
const renew = async (refreshToken: string) => (await nobody().refreshToken({ refreshToken })).tokens!;
async function refusal(call: Promise<unknown>): Promise<[string, string]> {
  const error = ConnectError.from(
    await call.then(
      () => expect.unreachable("it succeeded"),
      (e: unknown) => e,
    ),
  );
  return [Code[error.code], error.rawMessage];
}
const updateMembers = (members: { userId: string; userType: UserType }[]) =>
  as(roomsKey).updateRoom({ roomName, members: { members } });

describe("one call for every target", () => {
  test("gives tokens that say the same of who enters, within their right", async () => {
    const answer = await asUser("ada").createSessionTokens({ roomName, targets: everything });
    expect(answer).toMatchObject({
      roomName,
      participantIdentity: "ada",
      userType: UserType.PRESENTER,
      livekitUrl: livekit.url,
      sfuUrl: sfu.url,
      jitsiUrl: `https://${jitsi.domain}/${roomName}?jwt=${answer.jitsiToken}`,
    });
    expect(decodeJwt(answer.livekitToken)).toMatchObject({ sub: "ada", video: { room: roomName } });
    expect(decodeJwt(answer.transcriptionToken)).toMatchObject({ userId: "ada", userType: "PRESENTER" });
    expect(decodeJwt(answer.jitsiToken)).toMatchObject({
      room: roomName,
      moderator: false,
      context: { user: { id: "ada", moderator: "false" } },
    });
    expect(decodeJwt(answer.sfuToken)).toMatchObject({
      user_id: "ada",
      room: roomName,
      user_type: "presenter",
    });
    for (const time of ["livekit", "transcription", "jitsi", "sfu"] as const)
      expect(answer[`${time}ExpireTime`]).toBeDefined();
  });

  test("names a user as their login does, and lets them be known by no other address", async () => {
    const login = issueUserToken(
      { userId: "ada", displayName: "Ada L.", email: "ada@example.com", ttlSeconds: 600 },
      settings,
      server.time.nowMs,
    ).token;
    const answer = await as(login).createSessionTokens({ roomName, targets: everything });
    expect(decodeJwt(answer.livekitToken)).toMatchObject({ name: "Ada L." });
    expect(decodeJwt(answer.jitsiToken)).toMatchObject({
      context: { user: { name: "Ada L.", email: "ada@example.com" } },
    });
    expect(decodeJwt(answer.sfuToken)).toMatchObject({ email: "ada@example.com" });
    const [code, message] = await refusal(
      as(login).createSessionTokens({ roomName, participantEmail: "boss@example.com" }),
    );
    expect([code, message.slice(0, 17)]).toEqual(["PermissionDenied", "participant_email"]);
    const service = await as(tokensKey).createSessionTokens({
      roomName,
      participantIdentity: "eve",
      participantEmail: "eve@example.com",
      targets: [Target.SFU],
    });
    expect(decodeJwt(service.sfuToken)).toMatchObject({ email: "eve@example.com" });
  });

  test("tells LiveKit how the room is set, for the case that it makes it", async () => {
    await asUser("olga").updateRoom({ roomName, maxParticipants: 3, metadata: "agenda" });
    const answer = await asUser("ada").createSessionTokens({ roomName });
    expect(decodeJwt(answer.livekitToken)).toMatchObject({
      roomConfig: { maxParticipants: 3, metadata: "agenda" },
    });
  });

  test("makes no Jitsi token for a name that is somebody else's meeting", async () => {
    const alike = roomName.toUpperCase();
    server.time.nowMs += 1;
    await asUser("eve").createRoom({ roomName: alike });
    const [code, message] = await refusal(
      asUser("eve").createSessionTokens({ roomName: alike, targets: [Target.JITSI] }),
    );
    expect([code, message.slice(0, 9)]).toEqual(["PermissionDenied", "room_name"]);
  });
});

describe("a name under which a service brings people in", () => {
  const enter: Readonly<Record<string, (name: string) => Promise<unknown>>> = {
    CreateSessionTokens: (name) =>
      as(tokensKey).createSessionTokens({ roomName: name, participantIdentity: "eve" }),
    CreateTranscriptionToken: (name) =>
      as(tokensKey).createTranscriptionToken({ roomName: name, participantIdentity: "eve" }),
    CreateLiveKitToken: (name) =>
      as(tokensKey).createLiveKitToken({ roomName: name, participantIdentity: "eve" }),
    CreateJitsiToken: (name) => as(tokensKey).createJitsiToken({ roomName: name, userId: "eve" }),
    CreateSfuToken: (name) => as(tokensKey).createSfuToken({ roomName: name, userId: "eve" }),
  };
  test.each(Object.keys(enter))("by %s can be made a room by none of them, and by a service", async (rpc) => {
    const name = `by-${rpc}`;
    await enter[rpc]!(name);
    expect(await refusal(asUser("eve").createRoom({ roomName: name }))).toEqual([
      "AlreadyExists",
      "room_name: taken",
    ]);
    expect((await refusal(asUser("eve").createSessionTokens({ roomName: name })))[0]).toBe(
      "PermissionDenied",
    );
    expect((await refusal(as(roomsKey).getRoom({ roomName: name })))[0]).toBe("NotFound");
    await as(roomsKey).createRoom({ roomName: name, ownerUserId: "olga" });
    expect((await asUser("olga").getRoom({ roomName: name })).room).toMatchObject({ ownerUserId: "olga" });
  });

  test("is written once by a process, and tried again when it could not be", async () => {
    let writes = 0;
    let isAway = true;
    const rooms = rememberReserved({
      ...server.storage.rooms,
      async reserve() {
        writes += 1;
        if (isAway) throw new Error("away");
      },
    });
    await expect(rooms.reserve("often", new Date())).rejects.toThrow("away");
    isAway = false;
    for (let call = 0; call < 5; call++) await rooms.reserve("often", new Date());
    expect(writes).toBe(2);
  });
});

test("a right that is lost while tokens are made leaves none that is good", async () => {
  const held = Promise.withResolvers<undefined>();
  const asked = Promise.withResolvers<undefined>();
  const rooms = {
    ...server.storage.rooms,
    async get(name: string) {
      const room = await server.storage.rooms.get(name);
      asked.resolve(undefined);
      await held.promise;
      return room;
    },
  };
  const slow = await startInMemoryServer({ livekit, storage: { ...server.storage, rooms } });
  slow.time.nowMs = server.time.nowMs;
  const making = slow.client(TokenService, server.user("ada")).createSessionTokens({ roomName });
  await asked.promise;
  server.time.nowMs += 50;
  slow.time.nowMs = server.time.nowMs;
  await updateMembers([]);
  server.time.nowMs += 50;
  slow.time.nowMs = server.time.nowMs;
  held.resolve(undefined);
  const { transcriptionToken, refreshToken } = await making;
  const { valid } = await as(tokensKey).validateToken({ token: transcriptionToken });
  expect(valid).toBe(false);
  expect((await refusal(renew(refreshToken)))[0]).toBe("Unauthenticated");
  await slow.close();
});

describe("a refresh", () => {
  const enter = (userId: string): Promise<CreateSessionTokensResponse> =>
    asUser(userId).createSessionTokens({ roomName, targets: everything });

  test("brings new tokens for the same, without any other credential", async () => {
    const first = await enter("ada");
    server.time.nowMs += 60_000;
    const next = await renew(first.refreshToken);
    expect(next).toMatchObject({ roomName, participantIdentity: "ada", userType: UserType.PRESENTER });
    for (const name of [
      "livekitToken",
      "transcriptionToken",
      "jitsiToken",
      "sfuToken",
      "refreshToken",
    ] as const) {
      expect(next[name]).not.toBe("");
      expect(next[name]).not.toBe(first[name]);
    }
    expect(decodeJwt(next.transcriptionToken)["fam"]).toBe(decodeJwt(first.transcriptionToken)["fam"]);
  });

  test("checks the right anew: less of it is less, and none is PERMISSION_DENIED", async () => {
    const { refreshToken } = await enter("ada");
    // Changed behind the server's back, so that nothing is revoked by it.
    const change = (members: readonly { userId: string; userType: "viewer" }[]) =>
      server.storage.rooms.update({ roomName }, () => ({ members }));
    await change([{ userId: "ada", userType: "viewer" }]);
    const less = await renew(refreshToken);
    expect(less.userType).toBe(UserType.VIEWER);
    expect(decodeJwt(less.livekitToken)).toMatchObject({ video: { canPublish: false } });
    await change([]);
    const [code] = await refusal(renew(less.refreshToken));
    expect(code).toBe("PermissionDenied");
    // Not spent by that: when the right is back, so is the token's use.
    await change([{ userId: "ada", userType: "viewer" }]);
    expect((await renew(less.refreshToken)).userType).toBe(UserType.VIEWER);
  });

  test("never gives more than what was asked for first, whatever the right has become", async () => {
    const { refreshToken } = await asUser("ada").createSessionTokens({ roomName, userType: UserType.GUEST });
    await server.storage.rooms.update({ roomName }, () => ({
      members: [{ userId: "ada", userType: "host" }],
    }));
    expect((await renew(refreshToken)).userType).toBe(UserType.GUEST);
  });

  test("ends with the membership, as the other tokens do", async () => {
    const { refreshToken } = await enter("ada");
    await updateMembers([]);
    expect((await refusal(renew(refreshToken)))[0]).toBe("Unauthenticated");
  });

  test("of tokens that a service asked for ends with its API key, and not with a room's list", async () => {
    const key = await server.service("tokens");
    const { refreshToken } = await as(key).createSessionTokens({ roomName, participantIdentity: "zoe" });
    const next = await renew(refreshToken);
    const admin = await server.service("admin");
    await as(admin).revokeApiKey({ apiKeyId: key.slice(3, 19) });
    expect(await refusal(renew(next.refreshToken))).toEqual([
      "PermissionDenied",
      "refresh_token: the API key that asked for these tokens may do so no more",
    ]);
    expect((await refusal(as(key).createSessionTokens({ participantIdentity: "zoe" })))[0]).toBe(
      "Unauthenticated",
    );
  });

  test("class 31: used twice, and class 30: of a revoked family, are refused in the same words", async () => {
    const { refreshToken, transcriptionToken } = await enter("ada");
    const next = await renew(refreshToken);
    const again = await refusal(renew(refreshToken));
    expect(again[0]).toBe("Unauthenticated");
    expect(await refusal(renew(next.refreshToken))).toEqual(again);
    expect(await refusal(renew("x"))).toEqual(again);
    expect(server.endedStreams).toContainEqual({ tokenId: decodeJwt(transcriptionToken)["fam"] });
  });

  test("class 31: of five at once one wins", async () => {
    const { refreshToken } = await enter("ada");
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => renew(refreshToken)));
    const won = results.filter((result) => result.status === "fulfilled");
    expect(won).toHaveLength(1);
    await renew(won[0]!.value.refreshToken);
  });

  test("is told to the audit log with who and where, and without the token", async () => {
    const { refreshToken } = await enter("vic");
    await renew(refreshToken);
    const { events } = await as(await server.service("admin")).listAuditEvents({ actor: "user:vic" });
    expect(events.map(({ action, outcome }) => [action, outcome])).toEqual([
      ["token.create", "ok"],
      ["token.refresh", "ok"],
    ]);
    expect(events[1]?.subject).toContain(roomName);
    expect(
      JSON.stringify(events, (_, value: unknown) => (typeof value === "bigint" ? Number(value) : value)),
    ).not.toContain(refreshToken.slice(-20));
  });
});

test("counts what was made and what was refused, by target", async () => {
  const fresh = await startInMemoryServer({ livekit, storage: server.storage });
  const client = (credential: string) => fresh.client(TokenService, credential);
  await client(fresh.user("olga")).createSessionTokens({});
  await client(fresh.user("olga"))
    .createSessionTokens({ roomName: "no-such-room" })
    .catch(() => undefined);
  await client(fresh.user("olga")).validateToken({ token: "x" });
  const stats = await client(await fresh.service("stats")).getStats({});
  expect(stats.tokenCounts.map(({ target, outcome, total }) => [target, outcome, Number(total)])).toEqual([
    [Target.LIVEKIT, "created", 1],
    [Target.TRANSCRIPTION, "created", 1],
    [Target.UNSPECIFIED, "permission_denied", 1],
    [Target.UNSPECIFIED, "malformed", 1],
  ]);
  expect(stats.errorRate).toBeCloseTo(1 / 3);
  expect(stats.latencies.map(({ method, count }) => [method, Number(count)])).toEqual([
    ["parley.token.v1.TokenService.CreateSessionTokens", 2],
    ["parley.token.v1.TokenService.ValidateToken", 1],
  ]);
  await fresh.close();
});
