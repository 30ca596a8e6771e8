import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStorage } from "../../../src/storage/open-storage.ts";
import type { Storage } from "../../../src/storage/open-storage.ts";
import type { ServiceCaller, UserCaller } from "../../../src/token/caller.ts";
import { enterRoom } from "../../../src/token/rooms/enter-room.ts";
import type { EntryRequest } from "../../../src/token/rooms/enter-room.ts";
import type { StoredRoom, UserType } from "../../../src/token/rooms/room-store.ts";
import { ForbiddenError, TokenRequestError } from "../../../src/token/token-error.ts";
import { silentLog } from "../../storage/silent-log.ts";
import { nowMs } from "../make-token.ts";

let storage: Storage;
let used = 0;
/** A new name for each test, so that tests share one database. */
let roomName: string;
beforeAll(async () => {
  storage = await openStorage({ dataDir: "memory:", log: silentLog });
});
beforeEach(() => {
  roomName = `room ${used++}`;
});
afterAll(() => storage.close());

const user = (userId: string): UserCaller => ({
  kind: "user",
  userId,
  issuer: "app",
  subject: userId,
  expireTime: new Date(nowMs + 1000),
});
const service: ServiceCaller = { kind: "service", apiKeyId: "0".repeat(16), scopes: new Set(["tokens"]) };
const enter = (caller: UserCaller | ServiceCaller, request: EntryRequest, atMs = nowMs) =>
  enterRoom(caller, request, storage.rooms, atMs);

async function haveRoom(fields: Partial<StoredRoom> = {}): Promise<void> {
  const room = {
    roomName,
    ownerUserId: "olga",
    access: "invited",
    members: [],
    createTime: new Date(nowMs),
  } as const;
  await storage.rooms.create({ ...room, ...fields });
}

async function refusalOf(caller: UserCaller | ServiceCaller, request: EntryRequest): Promise<Error> {
  const error = await enter(caller, request).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Error);
  return error as Error;
}

describe("a user", () => {
  test("owns the room that is made where none is named", async () => {
    const entry = await enter(user("ada"), {});
    expect(entry).toEqual({
      roomName: `room-ada-${nowMs.toString(36)}`,
      participantIdentity: "ada",
      userId: "ada",
      userType: "host",
      room: await storage.rooms.get(entry.roomName),
    });
    expect(await storage.rooms.get(entry.roomName)).toEqual({
      roomName: entry.roomName,
      ownerUserId: "ada",
      access: "invited",
      members: [],
      createTime: new Date(nowMs),
    });
  });

  test("comes back into their own room as its host", async () => {
    const made = await enter(user("back"), {});
    expect(await enter(user("back"), { roomName: made.roomName })).toEqual(made);
  });

  test("may send their own id, and nobody else's", async () => {
    await expect(enter(user("ada"), { participantIdentity: "ada", userId: "ada" })).resolves.toMatchObject({
      userId: "ada",
    });
    for (const request of [
      { participantIdentity: "bob" },
      { userId: "bob" },
      { userId: "Ada" },
      { userId: "ada " },
    ]) {
      const error = await refusalOf(user("ada"), request);
      expect(error).toBeInstanceOf(ForbiddenError);
      expect(error.message).toContain(
        Object.keys(request)[0] === "userId" ? "user_id" : "participant_identity",
      );
    }
  });

  test("learns nothing of a room that they may not enter, not even whether it is there", async () => {
    await haveRoom({ members: [{ userId: "maria", userType: "guest" }] });
    const invited = await refusalOf(user("ada"), { roomName });
    const unknown = await refusalOf(user("ada"), { roomName: "no such room" });
    const asked = await refusalOf(user("ada"), { roomName, userType: "viewer" });
    expect(invited).toBeInstanceOf(ForbiddenError);
    expect(new Set([invited, unknown, asked].map((error) => `${error.name}: ${error.message}`)).size).toBe(1);
  });

  const ranks: readonly UserType[] = ["host", "presenter", "guest", "viewer"];
  const rights: readonly [string, string, UserType, Partial<StoredRoom>][] = [
    ["the owner", "olga", "host", {}],
    ["the owner who is also listed", "olga", "host", { members: [{ userId: "olga", userType: "viewer" }] }],
    ...ranks.map((right): [string, string, UserType, Partial<StoredRoom>] => [
      `a member who is a ${right}`,
      "ada",
      right,
      {
        members: [
          { userId: "bob", userType: "host" },
          { userId: "ada", userType: right },
        ],
      },
    ]),
    ["anybody in an open room", "ada", "guest", { access: "open" }],
    [
      "a member of an open room",
      "ada",
      "viewer",
      { access: "open", members: [{ userId: "ada", userType: "viewer" }] },
    ],
  ];
  test.each(rights)(
    "%s has their right, or a lesser one on request, and never more",
    async (_, userId, right, fields) => {
      await haveRoom(fields);
      expect(await enter(user(userId), { roomName })).toEqual({
        roomName,
        participantIdentity: userId,
        userId,
        userType: right,
        room: await storage.rooms.get(roomName),
      });
      for (const userType of ranks) {
        const entry = enter(user(userId), { roomName, userType });
        if (ranks.indexOf(userType) >= ranks.indexOf(right))
          await expect(entry).resolves.toMatchObject({ userType });
        else
          await expect(entry).rejects.toThrow(
            `user_type: you may enter this room as ${right.toUpperCase()} at most`,
          );
      }
    },
  );

  test("whose id differs in case or white space is another user", async () => {
    await haveRoom({ members: [{ userId: "ada", userType: "guest" }] });
    for (const userId of ["Ada", "ada ", " ada", "OLGA", "__proto__"]) {
      await expect(enter(user(userId), { roomName })).rejects.toBeInstanceOf(ForbiddenError);
    }
  });
});

describe("a service", () => {
  test("must name the participant", async () => {
    const error = await refusalOf(service, { roomName });
    expect(error).toBeInstanceOf(TokenRequestError);
    expect(error).toMatchObject({
      code: "invalid",
      message: expect.stringContaining("participant_identity") as string,
    });
  });

  test("brings anyone into any room, as host unless it says otherwise", async () => {
    await haveRoom();
    expect(await enter(service, { roomName, participantIdentity: "ada" })).toEqual({
      roomName,
      participantIdentity: "ada",
      userId: "ada",
      userType: "host",
    });
    const request = {
      roomName: "nowhere",
      participantIdentity: "ada-phone",
      userId: "ada",
      userType: "viewer",
    } as const;
    expect(await enter(service, request)).toEqual(request);
    expect(await storage.rooms.get("nowhere")).toBeUndefined();
  });

  test("makes a room that belongs to the user", async () => {
    const entry = await enter(service, { participantIdentity: "p", userId: "owner", interviewType: "case" });
    expect(entry.roomName).toBe(`case-owner-${nowMs.toString(36)}`);
    expect(await storage.rooms.get(entry.roomName)).toMatchObject({ ownerUserId: "owner" });
  });

  test("cannot name what no token could carry", async () => {
    for (const bad of ["__proto__", "a\0b", "x".repeat(257)]) {
      for (const request of [
        { participantIdentity: bad },
        { participantIdentity: "p", userId: bad },
        { participantIdentity: "p", roomName: bad },
      ]) {
        await expect(enter(service, request)).rejects.toMatchObject({ code: "invalid" });
      }
    }
  });
});

describe("the name of a new room", () => {
  test("is the kind of interview, the user, and the time", async () => {
    const { roomName: name } = await enter(user("eve"), { interviewType: "case_study-2" });
    expect(name).toBe(`case_study-2-eve-${nowMs.toString(36)}`);
  });

  test("holds at most 128 characters, all of them harmless, for any user", async () => {
    const userId = fc.string({ unit: "binary", minLength: 1, maxLength: 256 });
    const interviewType = fc.option(fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(userId, interviewType, async (id, type) => {
        const rooms = {
          create: async () => true,
          get: async () => undefined,
          reserve: async () => undefined,
        };
        const { roomName: name } = await enterRoom(
          user(id),
          type === undefined ? {} : { interviewType: type },
          rooms,
          nowMs,
        );
        expect(name).toMatch(/^[A-Za-z0-9_-]{1,128}$/);
        expect(name.startsWith(`${type ?? "room"}-`)).toBe(true);
        expect(name.endsWith(`-${nowMs.toString(36)}`)).toBe(true);
      }),
    );
  });

  test("is cut within the user's id when it would be too long, never in the time", async () => {
    const time = (nowMs + 9000).toString(36);
    const long = await enter(user("u".repeat(256)), { interviewType: "t".repeat(64) }, nowMs + 9000);
    expect(long.roomName).toBe(`${"t".repeat(64)}-${"u".repeat(128 - 64 - 2 - time.length)}-${time}`);
    const other = await enter(user("u".repeat(255)), { interviewType: "t".repeat(64) }, nowMs + 9000);
    expect(other.roomName).toHaveLength(128);
    expect(other.roomName).not.toBe(long.roomName);
  });

  test("differs for every call of one millisecond, also of users who are written alike", async () => {
    const users = ["a.b", "a-b", "a b", "a/b", "a.b"];
    const entries = await Promise.all(users.map((id) => enter(user(id), {}, nowMs + 5000)));
    expect(new Set(entries.map((entry) => entry.roomName)).size).toBe(users.length);
    for (const [index, entry] of entries.entries()) {
      expect(await storage.rooms.get(entry.roomName)).toMatchObject({ ownerUserId: users[index]! });
    }
  });
});
