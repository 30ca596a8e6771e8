/** Rooms as users and services make, change and delete them, and whose tokens are revoked by it; on a real database. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStorage } from "../../../src/storage/open-storage.ts";
import type { Storage } from "../../../src/storage/open-storage.ts";
import type { ServiceCaller, UserCaller } from "../../../src/token/caller.ts";
import type { RevocationSelector } from "../../../src/token/revocation/revocation-store.ts";
import type { RoomMember, StoredRoom, UserType } from "../../../src/token/rooms/room-store.ts";
import { Rooms, maxNamedLosers } from "../../../src/token/rooms/rooms.ts";
import type { NewRoom, RoomSettings } from "../../../src/token/rooms/rooms.ts";
import { ForbiddenError, TokenRequestError } from "../../../src/token/token-error.ts";
import { silentLog } from "../../storage/silent-log.ts";
import { nowMs } from "../make-token.ts";

let storage: Storage;
let rooms: Rooms;
let used = 0;
/** New for each test. */
let roomName: string;
/** What was revoked, with the room as it was then. */
let revoked: { selector: RevocationSelector; room: StoredRoom | undefined }[];
/** What the other server was told. */
let mirrored: unknown[][];
/** Set: nothing can be revoked. */
let outage: Error | undefined;

beforeAll(async () => {
  storage = await openStorage({ dataDir: "memory:", log: silentLog });
  rooms = new Rooms({
    store: storage.rooms,
    async revoke(selector) {
      if (outage) throw outage;
      revoked.push({ selector, room: await storage.rooms.get(roomName) });
    },
    mirror: {
      createRoom: async (room) => void mirrored.push(["create", room]),
      updateRoom: async (before, after) => void mirrored.push(["update", before, after]),
      deleteRoom: async (name) => void mirrored.push(["delete", name]),
    },
    now: () => nowMs,
  });
});
beforeEach(() => {
  roomName = `room ${++used}`;
  revoked = [];
  mirrored = [];
  outage = undefined;
});
afterAll(() => storage.close());

const user = (userId: string): UserCaller => ({
  kind: "user",
  userId,
  issuer: "parley",
  subject: userId,
  expireTime: new Date(nowMs + 1000),
});
const service: ServiceCaller = { kind: "service", apiKeyId: "0".repeat(16), scopes: new Set(["rooms"]) };
const olga = user("olga");
const create = (request: Partial<NewRoom> = {}, caller: UserCaller | ServiceCaller = olga) =>
  rooms.create(caller, { roomName, ...request });
const update = (settings: RoomSettings, caller: UserCaller | ServiceCaller = olga) =>
  rooms.update(caller, roomName, settings);
const member = (userId: string, userType: UserType = "guest"): RoomMember => ({ userId, userType });
const selectors = () => revoked.map(({ selector }) => selector);
const people = (count: number) => Array.from({ length: count }, (_, index) => member(`user ${index}`));

async function refusalOf(call: Promise<unknown>): Promise<Error> {
  const error = await call.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Error);
  return error as Error;
}

describe("a new room", () => {
  test("is its maker's, invited, and without members, limit or metadata, unless it is told otherwise", async () => {
    expect(await create()).toMatchObject({ ownerUserId: "olga", access: "invited", members: [] });
    expect(await rooms.get(olga, roomName)).toEqual({
      roomName,
      ownerUserId: "olga",
      access: "invited",
      members: [],
      createTime: new Date(nowMs),
    });
    const settings = {
      access: "open",
      members: [member("bob", "presenter"), member("olga", "viewer")],
      maxParticipants: 7,
      metadata: "{}",
    } as const;
    roomName = `${roomName} b`;
    const made = await create({ ...settings, ownerUserId: "olga" });
    expect(made).toEqual({ roomName, ownerUserId: "olga", createTime: new Date(nowMs), ...settings });
    expect(await rooms.get(olga, roomName)).toEqual(made);
    expect(mirrored.at(-1)).toEqual(["create", made]);
  });

  test("of a service is the user's whom it names, whom it must name", async () => {
    expect(await create({ ownerUserId: "ada" }, service)).toMatchObject({ ownerUserId: "ada" });
    roomName = `${roomName} b`;
    const error = await refusalOf(create({}, service));
    expect(error).toBeInstanceOf(TokenRequestError);
    expect(error).toMatchObject({
      code: "invalid",
      message: expect.stringContaining("owner_user_id") as string,
    });
    expect(mirrored).toHaveLength(1);
  });

  test("of a user is not somebody else's", async () => {
    const error = await refusalOf(create({ ownerUserId: "ada" }));
    expect(error).toBeInstanceOf(ForbiddenError);
    expect(error.message).toContain("owner_user_id");
    expect(await storage.rooms.get(roomName)).toBeUndefined();
  });

  test("has a name that is free, and that stays its owner's", async () => {
    await create();
    for (const caller of [olga, user("eve")])
      await expect(create({}, caller)).rejects.toMatchObject({ code: "already-exists" });
    await rooms.delete(olga, roomName);
    await expect(create({}, user("eve"))).rejects.toMatchObject({ code: "already-exists" });
    await expect(create({ ownerUserId: "eve" }, service)).rejects.toMatchObject({ code: "already-exists" });
    expect(await create({ metadata: "again" })).toMatchObject({ metadata: "again" });
  });

  test("is the last one at 1000", async () => {
    await storage.jobsDatabase.executeSql(
      `insert into rooms (room_name, folded_name, owner_user_id, access, members, create_time)
       select 'many ' || number, 'many ' || number, 'rich', 'open', '[]', 'epoch' from generate_series(1, 999) as number`,
    );
    await create({}, user("rich"));
    roomName = `${roomName} b`;
    const error = await refusalOf(create({}, user("rich")));
    expect(error).toMatchObject({ code: "limit", message: expect.stringContaining("1000") as string });
    await expect(create({ ownerUserId: "rich" }, service)).rejects.toMatchObject({ code: "limit" });
    expect(await create()).toBeDefined();
  });

  test.each<[string, Partial<NewRoom>, string]>([
    ["name", { roomName: "__proto__" }, "room_name"],
    ["owner", { ownerUserId: "a\0b" }, "owner_user_id"],
    ["member", { members: [member("bob"), member("")] }, "members[1].user_id"],
  ])("has no %s that no token could carry", async (_, request, field) => {
    const error = await refusalOf(create({ ownerUserId: "olga", ...request }, service));
    expect(error).toMatchObject({ code: "invalid" });
    expect(error.message.startsWith(`${field}: `)).toBe(true);
    expect(mirrored).toEqual([]);
  });

  test("has each member once, and so has a changed one", async () => {
    const members = [member("bob"), member("eve"), member("bob", "host")];
    const twice = { code: "invalid", message: "members[2].user_id: listed before" };
    await expect(create({ members })).rejects.toMatchObject(twice);
    await create();
    await expect(update({ members })).rejects.toMatchObject(twice);
    expect(await rooms.get(olga, roomName)).toMatchObject({ members: [] });
  });
});

describe("a room of somebody else", () => {
  test("is as good as none to a user, who cannot tell one from the other", async () => {
    await create({ access: "open", members: [member("ada", "host")] });
    const calls = (name: string) => [
      rooms.get(user("ada"), name),
      rooms.update(user("ada"), name, { metadata: "mine" }),
      rooms.delete(user("ada"), name),
    ];
    const refusals = await Promise.all([...calls(roomName), ...calls("none")].map(refusalOf));
    expect(refusals.map((error) => `${error.name} ${error.message}`)).toEqual(
      Array(6).fill("TokenRequestError room_name: no such room, or it is not yours"),
    );
    expect(refusals[0]).toMatchObject({ code: "not-found" });
    expect(await storage.rooms.get(roomName)).toMatchObject({ access: "open" });
    expect(selectors()).toEqual([]);
  });

  test("is a service's to see, change and delete", async () => {
    await create();
    expect(await rooms.get(service, roomName)).toMatchObject({ ownerUserId: "olga" });
    expect(await update({ metadata: "m" }, service)).toMatchObject({ metadata: "m", ownerUserId: "olga" });
    await rooms.delete(service, roomName);
    for (const call of [rooms.get(service, roomName), update({}, service), rooms.delete(service, roomName)]) {
      await expect(call).rejects.toMatchObject({
        code: "not-found",
        message: "room_name: no such room",
      });
    }
  });

  test("is in a service's list, and in no user's", async () => {
    await create({}, user("lister"));
    await rooms.create(olga, { roomName: `${roomName} b` });
    const names = async (caller: UserCaller | ServiceCaller) =>
      (await rooms.list(caller, { size: 200 })).items.map((room) => room.roomName);
    expect(await names(user("lister"))).toEqual([roomName]);
    expect(await names(service)).toEqual(expect.arrayContaining([roomName, `${roomName} b`]));
  });
});

describe("a change", () => {
  test("is made to what is sent, and to nothing else", async () => {
    const made = await create({ members: [member("bob")], maxParticipants: 3, metadata: "m" });
    for (const settings of [
      { access: "open" },
      { members: [member("bob"), member("eve", "host")] },
      { maxParticipants: 9 },
      { metadata: "n" },
    ] satisfies RoomSettings[]) {
      const before = await rooms.get(olga, roomName);
      expect(await update(settings)).toEqual({ ...before, ...settings });
      expect(mirrored.at(-1)).toEqual(["update", before, { ...before, ...settings }]);
    }
    const unlimited = await update({ maxParticipants: 0, metadata: "" });
    expect(unlimited).toEqual({
      roomName,
      ownerUserId: "olga",
      createTime: made.createTime,
      access: "open",
      members: [member("bob"), member("eve", "host")],
    });
    expect(selectors()).toEqual([]);
  });

  const inviting = (...members: RoomMember[]): RoomSettings => ({ access: "invited", members });
  const opening = (...members: RoomMember[]): RoomSettings => ({ access: "open", members });
  const ofBob = [{ roomName: "", userId: "bob" }];
  const nobody: object[] = [];
  const everybody = [{ roomName: "" }];
  test.each<[string, RoomSettings, RoomSettings, object[]]>([
    ["removes a member", inviting(member("bob"), member("eve")), inviting(member("eve")), ofBob],
    ["lowers a member", inviting(member("bob", "host")), inviting(member("bob", "viewer")), ofBob],
    [
      "lowers a member a little",
      inviting(member("bob", "host")),
      inviting(member("bob", "presenter")),
      ofBob,
    ],
    ["raises a member", inviting(member("bob", "viewer")), inviting(member("bob", "host")), nobody],
    ["adds a member", inviting(), inviting(member("bob")), nobody],
    ["opens the room", inviting(member("bob")), { access: "open" }, nobody],
    ["opens the room and drops a host", inviting(member("bob", "host")), opening(), ofBob],
    [
      "drops a viewer of an open room, who is a guest then",
      opening(member("bob", "viewer")),
      opening(),
      nobody,
    ],
    ["drops a host of an open room", opening(member("bob", "host")), opening(), ofBob],
    ["makes a viewer of a guest in an open room", opening(), opening(member("bob", "viewer")), ofBob],
    ["closes an open room", opening(member("bob")), { access: "invited" }, everybody],
    ["closes an open room to who is new in it", opening(), inviting(member("bob", "host")), everybody],
    ["drops its owner, who stays its host", inviting(member("olga", "viewer")), inviting(), nobody],
    ["changes nothing", inviting(member("bob")), inviting(member("bob")), nobody],
  ])("that %s revokes the tokens of whom it takes a right from", async (_, before, after, losers) => {
    await create(before);
    await update(after);
    expect(selectors()).toEqual(losers.map((loser) => ({ ...loser, roomName })));
    expect(await rooms.get(olga, roomName)).not.toHaveProperty("lostRights");
  });

  test("revokes when the right is gone already", async () => {
    await create({ members: [member("bob"), member("eve", "host")] });
    await update({ members: [member("eve")] });
    expect(selectors()).toEqual([
      { roomName, userId: "bob" },
      { roomName, userId: "eve" },
    ]);
    for (const { room } of revoked) expect(room?.members).toEqual([member("eve")]);
  });

  test("that takes it from many revokes all tokens of the room", async () => {
    await create({ members: people(maxNamedLosers + 1) });
    await update({ members: people(1) });
    expect(selectors()).toHaveLength(maxNamedLosers);
    await update({ members: people(maxNamedLosers + 1) });
    await update({ members: [] });
    expect(selectors().slice(maxNamedLosers)).toEqual([{ roomName }]);
  });

  test("that could not revoke stands, and its repetition revokes", async () => {
    await create({ members: [member("bob")] });
    outage = new Error("no database");
    await expect(update({ members: [] })).rejects.toBe(outage);
    expect(await rooms.get(olga, roomName)).toMatchObject({ members: [] });
    await expect(update({ members: [] })).rejects.toBe(outage);
    expect(selectors()).toEqual([]);
    outage = undefined;
    await update({ members: [] });
    expect(selectors()).toEqual([{ roomName, userId: "bob" }]);
    await update({ members: [] });
    expect(selectors()).toHaveLength(1);
  });

  test("that could not revoke, and another after it, leave little behind", async () => {
    await create({ members: people(60) });
    outage = new Error("no database");
    for (let left = 50; left >= 0; left -= 10) {
      await expect(update({ members: people(left) })).rejects.toBe(outage);
      const { lostRights } = await rooms.get(olga, roomName);
      expect(lostRights!.length).toBeLessThanOrEqual(maxNamedLosers);
    }
    outage = undefined;
    await update({ metadata: "m" });
    expect(selectors()).toEqual([{ roomName }]);
  });

  test("keeps what another change at once has lost", async () => {
    await create({ members: people(6) });
    await Promise.all([0, 1, 2, 3, 4].map((left) => update({ members: people(left) })));
    const losers = new Set(selectors().flatMap((one) => ("userId" in one ? [one.userId] : [])));
    const { members } = await rooms.get(olga, roomName);
    const lost = people(6).filter(({ userId }) => !members.some((one) => one.userId === userId));
    for (const { userId } of lost) expect(losers).toContain(userId);
  });
});

describe("a deleted room", () => {
  test("is gone, and then its tokens are revoked", async () => {
    await create({ members: [member("bob")] });
    await rooms.delete(olga, roomName);
    expect(revoked).toEqual([{ selector: { roomName }, room: undefined }]);
    expect(mirrored.at(-1)).toEqual(["delete", roomName]);
    await expect(rooms.get(olga, roomName)).rejects.toMatchObject({ code: "not-found" });
    await expect(rooms.delete(olga, roomName)).rejects.toMatchObject({ code: "not-found" });
    expect(revoked).toHaveLength(1);
  });

  test("whose tokens could not be revoked is gone, and deleting it again revokes them", async () => {
    await create();
    outage = new Error("no database");
    await expect(rooms.delete(olga, roomName)).rejects.toBe(outage);
    await expect(rooms.get(olga, roomName)).rejects.toMatchObject({ code: "not-found" });
    outage = undefined;
    await rooms.delete(olga, roomName);
    expect(selectors()).toEqual([{ roomName }]);
    await expect(rooms.delete(olga, roomName)).rejects.toMatchObject({ code: "not-found" });
  });
});
