/** The whole server beside a real livekit-server: rooms there, tokens that open them, and people put out of them. */
import { createClient } from "@connectrpc/connect";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { RoomAccess, UserType } from "../../gen/ts/parley/token/v1/room_pb.ts";
import { Target, TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { issueUserToken } from "../../src/token/users/user-token.ts";
import { joinRoom } from "../livekit-server/join-room.ts";
import type { JoinedParticipant } from "../livekit-server/join-room.ts";
import { describeLiveKitServer } from "../livekit-server/livekit-server-process.ts";
import { settings } from "../token/make-token.ts";
import { freePort } from "./server-process.ts";
import { transportTo } from "./speech-client.ts";
import { jwtSecret, startTestServer } from "./start-test-server.ts";
import type { TestServer } from "./start-test-server.ts";

let used = 0;
/** New for each test. */
let roomName: string;
beforeEach(() => {
  roomName = `room ${used++}`;
});

const as = (server: TestServer, credential: string) =>
  createClient(TokenService, transportTo(server.url, credential));
const asUser = (server: TestServer, userId: string) => {
  const own = { ...settings, secret: jwtSecret };
  return as(server, issueUserToken({ userId, ttlSeconds: 600 }, own, Date.now()).token);
};

describeLiveKitServer("Parley and LiveKit", (livekit) => {
  let server: TestServer;
  const joined: JoinedParticipant[] = [];
  beforeAll(async () => {
    const { url, apiKey, apiSecret } = livekit().settings;
    server = await startTestServer({
      LIVEKIT_URL: url,
      LIVEKIT_API_KEY: apiKey,
      LIVEKIT_API_SECRET: apiSecret,
    });
  });
  afterEach(() => joined.splice(0).forEach((one) => one.leave()));
  afterAll(() => server.stop(0));

  const service = () => as(server, server.apiKey);
  const roomThere = async () => (await livekit().client.listRooms([roomName])).at(0);
  const identities = async () =>
    (await livekit().client.listParticipants(roomName)).map(({ identity }) => identity).sort();
  const member = (userId: string, userType: UserType = UserType.GUEST) => ({ userId, userType });

  async function open(livekitUrl: string, livekitToken: string): Promise<JoinedParticipant> {
    const participant = await joinRoom(livekitUrl, livekitToken);
    joined.push(participant);
    return participant;
  }

  async function enter(userId: string): Promise<JoinedParticipant> {
    const { livekitUrl, livekitToken } = await asUser(server, userId).createSessionTokens({ roomName });
    return open(livekitUrl, livekitToken);
  }

  async function bring(participantIdentity: string, userId: string): Promise<JoinedParticipant> {
    const { livekitUrl, livekitToken } = await service().createSessionTokens({
      roomName,
      participantIdentity,
      userId,
    });
    return open(livekitUrl, livekitToken);
  }

  test("a room is there as soon as it is made, changes with it, and goes with it", async () => {
    const olga = asUser(server, "olga");
    await olga.createRoom({ roomName, maxParticipants: 4, metadata: "first" });
    expect(await roomThere()).toMatchObject({ maxParticipants: 4, metadata: "first" });
    await olga.updateRoom({ roomName, metadata: "second" });
    expect(await roomThere()).toMatchObject({ metadata: "second" });
    await olga.deleteRoom({ roomName });
    expect(await roomThere()).toBeUndefined();
  });

  test("a room that LiveKit has closed is made again by a token for it, as it is set here", async () => {
    await asUser(server, "olga").createRoom({ roomName, maxParticipants: 4, metadata: "m" });
    await livekit().client.deleteRoom(roomName);
    await enter("olga");
    expect(await roomThere()).toMatchObject({ maxParticipants: 4, metadata: "m" });
    expect(await identities()).toEqual(["olga"]);
  });

  test("whom a room does not list any more is put out of it, and nobody else", async () => {
    const olga = asUser(server, "olga");
    await olga.createRoom({ roomName, members: [member("ada"), member("bob")] });
    const [ada, bob] = [await enter("ada"), await enter("bob")];
    await olga.updateRoom({ roomName, members: { members: [member("bob")] } });
    await ada.putOut;
    expect(await identities()).toEqual(["bob"]);
    expect(bob.isIn()).toBe(true);
  });

  test("everybody is put out of a room that is closed, or deleted", async () => {
    const olga = asUser(server, "olga");
    await olga.createRoom({ roomName, access: RoomAccess.OPEN });
    const [first, second] = [await enter("ada"), await enter("olga")];
    await olga.updateRoom({ roomName, access: RoomAccess.INVITED });
    await Promise.all([first.putOut, second.putOut]);
    const again = await enter("olga");
    await olga.deleteRoom({ roomName });
    await again.putOut;
  });

  test.each([
    ["a user", 2, ["bob"], () => ({ case: "userId", value: "ada" }) as const],
    ["a room", 3, [], () => ({ case: "roomName", value: roomName }) as const],
    ["one token", 0, ["ada", "bob", "phone"], () => ({ case: "tokenId", value: "ada" }) as const],
  ])("a revocation of %s says how many it removed", async (_, count, staying, selector) => {
    await bring("ada", "ada");
    await bring("phone", "ada");
    await bring("bob", "bob");
    const { removedParticipants } = await service().revokeTokens({ selector: selector() });
    expect(removedParticipants).toBe(count);
    expect(await identities()).toEqual(staying);
  });

  test("a token of one kind opens what it says, and a token for Parley opens nothing at LiveKit", async () => {
    const { transcriptionToken, livekitUrl } = await service().createSessionTokens({
      roomName,
      participantIdentity: "ada",
      targets: [Target.LIVEKIT, Target.TRANSCRIPTION],
    });
    await expect(open(livekitUrl, transcriptionToken)).rejects.toThrow("HTTP 401");
    expect(await roomThere()).toBeUndefined();
  });

  test("its state is told to anybody who calls, also over the old path", async () => {
    await livekit().client.createRoom({ name: roomName });
    const { url } = livekit().settings;
    const roomCount = (await livekit().client.listRooms()).length;
    const status = await asUser(server, "ada").getLiveKitStatus({});
    expect(status).toMatchObject({ configured: true, reachable: true, authorized: true, roomCount, url });
    const answer = await fetch(`${server.url}/livekit/status`, {
      headers: { authorization: `Bearer ${server.apiKey}` },
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ reachable: true, url });
  });

  test("nothing of a token or a secret is in the log", () => {
    expect(server.logged.length).toBeGreaterThan(0);
    expect(server.logged.join("\n")).not.toMatch(/eyJ|a-livekit-secret/);
  });
});

test("without LiveKit rooms are made, changed and deleted all the same, and each failure is logged", async () => {
  const url = `ws://127.0.0.1:${await freePort()}`;
  const server = await startTestServer({
    LIVEKIT_URL: url,
    LIVEKIT_API_KEY: "APIkey",
    LIVEKIT_API_SECRET: "a-livekit-secret-of-32-bytes-at-least",
  });
  const logged = (message: string) => server.logged.filter((line) => line.includes(message)).length;
  const olga = asUser(server, "olga");
  await olga.createRoom({ roomName, members: [{ userId: "ada" }] });
  await olga.updateRoom({ roomName, members: { members: [] }, metadata: "m" });
  const byRoom = { case: "roomName", value: roomName } as const;
  expect(await olga.revokeTokens({ selector: byRoom })).toMatchObject({ removedParticipants: 0 });
  await olga.deleteRoom({ roomName });
  for (const what of ["made", "changed", "deleted"])
    expect(logged(`a room could not be ${what} on LiveKit`)).toBe(1);
  expect(logged("not every participant could be removed from LiveKit")).toBe(3);
  expect(logged("LiveKit cannot be reached (ECONNREFUSED)")).toBe(6);
  expect(await olga.getLiveKitStatus({})).toMatchObject({ configured: true, reachable: false, url });
  await server.stop(0);
});
