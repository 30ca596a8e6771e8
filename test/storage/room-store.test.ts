/** Rooms, on both databases. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Storage } from "../../src/storage/open-storage.ts";
import type { LostRight, RoomMember, RoomStore, StoredRoom } from "../../src/token/rooms/room-store.ts";
import { forEachDatabase } from "./databases.ts";

const createTime = new Date("2026-02-03T04:05:06.789Z");

forEachDatabase((_name, open) => {
  let storage: Storage;
  let rooms: RoomStore;
  let used = 0;
  /** New for each test. */
  let roomName: string;
  let olga: string;
  beforeAll(async () => {
    storage = await open();
    rooms = storage.rooms;
  });
  beforeEach(() => {
    roomName = `room ${++used}`;
    olga = `olga ${used}`;
  });
  afterAll(() => storage.close());

  const room = (fields: Partial<StoredRoom> = {}): StoredRoom => ({
    roomName,
    ownerUserId: olga,
    access: "invited",
    members: [],
    createTime,
    ...fields,
  });
  const bob: RoomMember = { userId: "bob", userType: "guest" };
  const lost = (lostRightId: string, userId?: string): LostRight => ({
    lostRightId,
    ...(userId !== undefined && { userId }),
  });

  describe("a room", () => {
    test("comes back as it was stored", async () => {
      const whole = room({
        access: "open",
        members: [bob, { userId: "é\u{1F600}", userType: "viewer" }],
        maxParticipants: 10_000,
        metadata: '{"topic":"é"}',
        lostRights: [lost("1"), lost("2", "eve")],
      });
      expect(await rooms.create(whole)).toBe(true);
      expect(await rooms.get(roomName)).toEqual(whole);
      expect(await rooms.get("none")).toBeUndefined();
    });

    test("that is set to nothing has no limit, no metadata and nothing lost", async () => {
      await rooms.create(room({ maxParticipants: 0, metadata: "", lostRights: [] }));
      expect(await rooms.get(roomName)).toEqual(room());
    });

    test("under a reserved name is nobody's to make but for whom a service makes it", async () => {
      await rooms.reserve("reserved", new Date("2026-11-26T12:00:00Z"));
      await rooms.reserve("reserved", new Date("2026-11-26T12:00:00Z"));
      expect(await rooms.get("reserved")).toBeUndefined();
      const made = room({ roomName: "reserved", ownerUserId: "eve" });
      expect(await rooms.create(made)).toBe(false);
      expect(await rooms.createWithin(made, 10)).toBe("taken");
      expect(await rooms.createWithin(made, 10, { overReserved: true })).toBe("created");
      expect(await rooms.get("reserved")).toMatchObject({ ownerUserId: "eve" });
      await rooms.reserve("reserved", new Date("2026-11-26T12:00:00Z"));
      expect(await rooms.get("reserved")).toMatchObject({ ownerUserId: "eve" });
      const others = room({ roomName: "reserved", ownerUserId: "bob" });
      expect(await rooms.createWithin(others, 10, { overReserved: true })).toBe("taken");
    });

    test("made twice stays the first", async () => {
      await rooms.create(room({ metadata: "first" }));
      expect(await rooms.create(room({ metadata: "second" }))).toBe(false);
      expect(await rooms.createWithin(room({ ownerUserId: "eve" }), 10)).toBe("taken");
      expect(await rooms.get(roomName)).toEqual(room({ metadata: "first" }));
    });
  });

  describe("of the rooms of an owner", () => {
    const number = (index: number) => room({ roomName: `${roomName} ${index}` });

    test("no more are made than they may have, however many are asked for at once", async () => {
      const made = await Promise.all(
        Array.from({ length: 12 }, (_, index) => rooms.createWithin(number(index), 5)),
      );
      expect(made.filter((outcome) => outcome === "created")).toHaveLength(5);
      expect(made.filter((outcome) => outcome === "limit")).toHaveLength(7);
      expect((await rooms.list({ ownerUserId: olga }, { size: 20 })).items).toHaveLength(5);
    });

    test("others' and deleted ones do not count", async () => {
      await rooms.create(room({ roomName: `${roomName} other`, ownerUserId: "somebody else" }));
      expect(await rooms.createWithin(number(0), 1)).toBe("created");
      expect(await rooms.createWithin(number(1), 1)).toBe("limit");
      await rooms.delete({ roomName: `${roomName} 0` }, lost("1"));
      expect(await rooms.createWithin(number(1), 1)).toBe("created");
    });
  });

  describe("a list", () => {
    test("is newest first in pages, of one owner or of all, without what was deleted", async () => {
      // Two share each time, so that the name has to decide. They are newer than what other tests make.
      const made = [0, 1, 2, 3, 4].map((index) =>
        room({
          roomName: `${roomName} ${index}`,
          createTime: new Date(Date.UTC(2030, 0, used) + (index >> 1)),
          ...(index === 3 && { ownerUserId: "pia" }),
        }),
      );
      for (const one of made) await rooms.create(one);
      await rooms.delete({ roomName: `${roomName} 1` }, lost("1"));
      const names = async (filter: { ownerUserId?: string }) => {
        const first = await rooms.list(filter, { size: 2 });
        const second = await rooms.list(filter, { size: 2, after: first.next! });
        return [first, second].map(({ items }) => items.map((one) => one.roomName.split(" ").at(-1)));
      };
      expect(await names({ ownerUserId: olga })).toEqual([["4", "2"], ["0"]]);
      expect((await names({}))[0]).toEqual(["4", "3"]);
      expect((await names({}))[1]).toEqual(["2", "0"]);
      const [newest] = (await rooms.list({}, { size: 1 })).items;
      expect(newest).toEqual(made[4]);
    });

    test("takes no page token of another list", async () => {
      const other = Buffer.from(JSON.stringify(["sessions", 0, "id"])).toString("base64url");
      const call = rooms.list({}, { size: 1, after: other });
      await expect(call).rejects.toMatchObject({ code: "bad-page-token" });
    });
  });

  describe("a change", () => {
    test("is made of the room as it is, and says how it was before and after", async () => {
      await rooms.create(room({ members: [bob], metadata: "m", maxParticipants: 3 }));
      const seen: StoredRoom[] = [];
      const changed = await rooms.update({ roomName }, (before) => {
        seen.push(before);
        return { access: "open", maxParticipants: 0, lostRights: [lost("1", "bob")] };
      });
      const before = room({ members: [bob], metadata: "m", maxParticipants: 3 });
      const after = room({
        members: [bob],
        metadata: "m",
        access: "open",
        lostRights: [lost("1", "bob")],
      });
      expect(changed).toEqual({ before, after });
      expect(seen).toEqual([before]);
      expect(await rooms.get(roomName)).toEqual(after);
    });

    test("loses no other that is made at once", async () => {
      await rooms.create(room());
      const users = Array.from({ length: 10 }, (_, index) => `user ${index}`);
      await Promise.all(
        users.map((userId) =>
          rooms.update({ roomName }, ({ members }) => ({
            members: [...members, { userId, userType: "guest" }],
          })),
        ),
      );
      const { members } = (await rooms.get(roomName))!;
      expect(members.map(({ userId }) => userId).sort()).toEqual(users);
    });

    test("of another owner's room, or of none, is none", async () => {
      await rooms.create(room());
      const never = () => expect.unreachable("it was asked for");
      expect(await rooms.update({ roomName, ownerUserId: "eve" }, never)).toBeUndefined();
      expect(await rooms.update({ roomName: "none" }, never)).toBeUndefined();
      expect(await rooms.update({ roomName, ownerUserId: olga }, () => ({ access: "open" }))).toBeDefined();
    });
  });

  describe("a deleted room", () => {
    test("is not there any more, and nothing is left of what was in it", async () => {
      await rooms.create(room({ members: [bob], metadata: "secret", maxParticipants: 3 }));
      expect(await rooms.delete({ roomName }, lost("1"))).toEqual([lost("1")]);
      expect(await rooms.get(roomName)).toBeUndefined();
      expect(await rooms.update({ roomName }, () => ({}))).toBeUndefined();
      expect((await rooms.list({ ownerUserId: olga }, { size: 5 })).items).toEqual([]);
      const { rows } = await storage.jobsDatabase.executeSql(
        "select members, metadata, max_participants from rooms where room_name = $1",
        [roomName],
      );
      expect(rows).toEqual([{ members: [], metadata: "", max_participants: 0 }]);
    });

    test("is deleted by its owner, and by nobody else", async () => {
      await rooms.create(room());
      expect(await rooms.delete({ roomName, ownerUserId: "eve" }, lost("1"))).toEqual([]);
      expect(await rooms.get(roomName)).toEqual(room());
      expect(await rooms.delete({ roomName, ownerUserId: olga }, lost("1"))).toEqual([lost("1")]);
      expect(await rooms.delete({ roomName, ownerUserId: "eve" }, lost("2"))).toEqual([]);
    });

    test("leaves its name to its owner alone, who can make it again", async () => {
      await rooms.create(room({ metadata: "old" }));
      await rooms.delete({ roomName }, lost("1"));
      expect(await rooms.create(room({ ownerUserId: "eve" }))).toBe(false);
      expect(await rooms.createWithin(room({ ownerUserId: "eve" }), 10)).toBe("taken");
      await rooms.settle(roomName, ["1"]);
      const again = room({ createTime: new Date(createTime.getTime() + 1), members: [bob], access: "open" });
      expect(await rooms.createWithin(again, 10)).toBe("created");
      expect(await rooms.get(roomName)).toEqual(again);
    });
  });

  describe("what was lost", () => {
    test("stays until it is settled, each on its own", async () => {
      await rooms.create(room());
      const lose = (...added: LostRight[]) =>
        rooms.update({ roomName }, ({ lostRights = [] }) => ({ lostRights: [...lostRights, ...added] }));
      await lose(lost("1", "bob"), lost("2", "eve"));
      await lose(lost("3", "bob"));
      await rooms.settle(roomName, ["1", "none"]);
      expect(await rooms.get(roomName)).toMatchObject({ lostRights: [lost("2", "eve"), lost("3", "bob")] });
      await rooms.settle(roomName, ["3", "2"]);
      expect(await rooms.get(roomName)).toEqual(room());
    });

    test("by deleting a room is told again until it is settled, with what was lost before", async () => {
      await rooms.create(room({ lostRights: [lost("1", "bob")] }));
      const all = [lost("1", "bob"), lost("2")];
      expect(await rooms.delete({ roomName }, lost("2"))).toEqual(all);
      expect(await rooms.delete({ roomName }, lost("3"))).toEqual(all);
      await rooms.settle(roomName, ["1", "2"]);
      expect(await rooms.delete({ roomName }, lost("4"))).toEqual([]);
      expect(await rooms.delete({ roomName: "none" }, lost("5"))).toEqual([]);
    });
  });
});
