/** Rooms over the wire: what is sent, what comes back, what is refused, and what a changed room does to tokens. */
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AnalysisService } from "../../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { RoomAccess, UserType } from "../../../../gen/ts/parley/token/v1/room_pb.ts";
import { Target, TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import { startInMemoryServer } from "./in-memory-server.ts";
import type { InMemoryServer } from "./in-memory-server.ts";

let server: InMemoryServer;
let roomsKey: string;
let used = 0;
/** New for each test. */
let roomName: string;
beforeAll(async () => {
  server = await startInMemoryServer();
  roomsKey = await server.service("rooms");
});
beforeEach(() => {
  roomName = `room ${++used}`;
  server.time.nowMs += 1000;
});
afterAll(() => server.close());

const as = (credential: string) => server.client(TokenService, credential);
const asUser = (userId = "olga") => as(server.user(userId));
const codeOf = async (call: Promise<unknown>) =>
  ConnectError.from(
    await call.then(
      () => expect.unreachable("it succeeded"),
      (error: unknown) => error,
    ),
  ).code;

/** What a token for Transcribe is worth to one who has it. */
async function isLetIn(token: string): Promise<boolean> {
  const code = await codeOf(server.client(AnalysisService, token).analyzeInterview({ sessionId: "none" }));
  expect([Code.NotFound, Code.Unauthenticated]).toContain(code);
  return code === Code.NotFound;
}

async function enter(userId: string): Promise<string> {
  const targets = [Target.TRANSCRIPTION];
  return (await asUser(userId).createSessionTokens({ roomName, targets })).transcriptionToken;
}

describe("a room", () => {
  const members = [
    { userId: "bob", userType: UserType.PRESENTER },
    { userId: "eve", userType: UserType.UNSPECIFIED },
  ];

  test("is made with what is sent, and comes back so", async () => {
    const settings = { access: RoomAccess.OPEN, members, maxParticipants: 12, metadata: '{"a":1}' };
    const { room } = await asUser().createRoom({ roomName, ...settings });
    expect(room).toMatchObject({
      roomName,
      ownerUserId: "olga",
      access: RoomAccess.OPEN,
      members: [members[0], { userId: "eve", userType: UserType.GUEST }],
      maxParticipants: 12,
      metadata: '{"a":1}',
    });
    expect(timestampDate(room!.createTime!).getTime()).toBe(server.time.nowMs);
    expect(await asUser().getRoom({ roomName })).toMatchObject({ room });
    expect(await as(roomsKey).getRoom({ roomName })).toMatchObject({ room });
  });

  test("is invited, and has nothing else, when only its name is sent", async () => {
    const { room } = await as(roomsKey).createRoom({ roomName, ownerUserId: "ada" });
    expect(room).toMatchObject({
      ownerUserId: "ada",
      access: RoomAccess.INVITED,
      members: [],
      maxParticipants: 0,
      metadata: "",
    });
  });

  test("is changed in what is sent, which may be empty, and in nothing else", async () => {
    const settings = { access: RoomAccess.OPEN, members, maxParticipants: 12, metadata: "m" };
    const { room } = await asUser().createRoom({ roomName, ...settings });
    expect((await asUser().updateRoom({ roomName })).room).toEqual(room);
    const emptied = await asUser().updateRoom({
      roomName,
      members: { members: [] },
      maxParticipants: 0,
      metadata: "",
    });
    expect(emptied.room).toMatchObject({
      access: RoomAccess.OPEN,
      members: [],
      maxParticipants: 0,
      metadata: "",
    });
    const closed = await as(roomsKey).updateRoom({ roomName, access: RoomAccess.INVITED, metadata: "n" });
    expect(closed.room).toMatchObject({ access: RoomAccess.INVITED, members: [], metadata: "n" });
    expect((await asUser().getRoom({ roomName })).room).toEqual(closed.room);
  });

  test("is listed to its owner and to services, page by page, newest first", async () => {
    const made: string[] = [];
    for (let number = 0; number < 3; number++) {
      server.time.nowMs += 1000;
      made.unshift(`${roomName} ${number}`);
      await asUser("lister").createRoom({ roomName: made[0]! });
    }
    const names = async (credential: string) => {
      const first = await as(credential).listRooms({ pageSize: 2 });
      const { rooms } = await as(credential).listRooms({ pageSize: 1, pageToken: first.nextPageToken });
      return [...first.rooms, ...rooms].map((room) => room.roomName);
    };
    expect(await names(server.user("lister"))).toEqual(made);
    expect(await names(roomsKey)).toEqual(made);
    expect((await asUser("lister").listRooms({})).nextPageToken).toBe("");
    expect((await asUser("nobody").listRooms({})).rooms).toEqual([]);
    expect(await codeOf(asUser("lister").listRooms({ pageToken: "forged" }))).toBe(Code.InvalidArgument);
  });

  test("is deleted, and then nobody can enter it", async () => {
    await asUser().createRoom({ roomName, access: RoomAccess.OPEN });
    const token = await enter("ada");
    await asUser().deleteRoom({ roomName });
    expect(await isLetIn(token)).toBe(false);
    for (const call of [
      asUser().getRoom({ roomName }),
      asUser().updateRoom({ roomName }),
      asUser().deleteRoom({ roomName }),
    ])
      expect(await codeOf(call)).toBe(Code.NotFound);
    expect(await codeOf(enter("ada"))).toBe(Code.PermissionDenied);
    expect(await codeOf(enter("olga"))).toBe(Code.PermissionDenied);
  });

  test("is refused with the code that says why", async () => {
    await asUser().createRoom({ roomName });
    const other = `${roomName} b`;
    expect(await codeOf(asUser().createRoom({ roomName }))).toBe(Code.AlreadyExists);
    expect(await codeOf(asUser("eve").getRoom({ roomName }))).toBe(Code.NotFound);
    expect(await codeOf(asUser().createRoom({ roomName: other, ownerUserId: "eve" }))).toBe(
      Code.PermissionDenied,
    );
    for (const request of [
      { roomName: "" },
      { roomName: "a*" },
      { roomName: "a\nb" },
      { roomName: "x".repeat(129) },
      { roomName: other, maxParticipants: -1 },
      { roomName: other, maxParticipants: 10_001 },
      { roomName: other, metadata: "é".repeat(8193) },
      { roomName: other, members: [...members, members[0]!] },
      { roomName: other, members: [{ userId: "" }] },
      { roomName: other, members: Array.from({ length: 501 }, (_, index) => ({ userId: `user ${index}` })) },
    ])
      expect(await codeOf(asUser().createRoom(request))).toBe(Code.InvalidArgument);
    expect(await codeOf(as(roomsKey).createRoom({ roomName: other }))).toBe(Code.InvalidArgument);
    expect(await codeOf(asUser().updateRoom({ roomName, access: RoomAccess.UNSPECIFIED }))).toBe(
      Code.InvalidArgument,
    );
    expect((await asUser().listRooms({ pageSize: 200 })).rooms.map((room) => room.roomName)).not.toContain(
      other,
    );
  });
});

describe("a changed room", () => {
  const member = (userId: string, userType: UserType = UserType.GUEST) => ({ userId, userType });

  test("lets those out whom it does not list any more, and nobody else", async () => {
    await asUser().createRoom({ roomName, members: [member("ada"), member("bob")] });
    const [ada, bob, olga] = [await enter("ada"), await enter("bob"), await enter("olga")];
    server.time.nowMs += 1000;
    await asUser().updateRoom({ roomName, members: { members: [member("bob")] } });
    expect(await isLetIn(ada)).toBe(false);
    expect(await isLetIn(bob)).toBe(true);
    expect(await isLetIn(olga)).toBe(true);
    expect(await codeOf(enter("ada"))).toBe(Code.PermissionDenied);
  });

  test("takes the tokens of who may do less than before, who gets new ones with the lesser right", async () => {
    await asUser().createRoom({ roomName, members: [member("ada", UserType.PRESENTER)] });
    const presenter = await enter("ada");
    server.time.nowMs += 1000;
    await asUser().updateRoom({ roomName, members: { members: [member("ada", UserType.VIEWER)] } });
    expect(await isLetIn(presenter)).toBe(false);
    server.time.nowMs += 1000;
    const { userType } = await asUser("ada").createSessionTokens({ roomName });
    expect(userType).toBe(UserType.VIEWER);
    expect(await isLetIn(await enter("ada"))).toBe(true);
  });

  test("that is closed takes everybody's tokens, and those who may still enter get new ones", async () => {
    await asUser().createRoom({ roomName, access: RoomAccess.OPEN, members: [member("bob")] });
    const [guest, bob] = [await enter("somebody"), await enter("bob")];
    server.time.nowMs += 1000;
    await asUser().updateRoom({ roomName, access: RoomAccess.INVITED });
    expect(await isLetIn(guest)).toBe(false);
    expect(await isLetIn(bob)).toBe(false);
    server.time.nowMs += 1000;
    expect(await isLetIn(await enter("bob"))).toBe(true);
    expect(await codeOf(enter("somebody"))).toBe(Code.PermissionDenied);
  });

  test("leaves the tokens for other rooms alone", async () => {
    await asUser().createRoom({ roomName, members: [member("ada")] });
    const other = await enter("ada");
    roomName = `${roomName} b`;
    await asUser().createRoom({ roomName, members: [member("ada")] });
    await asUser().updateRoom({ roomName, members: { members: [] } });
    await asUser().deleteRoom({ roomName });
    expect(await isLetIn(other)).toBe(true);
  });
});
