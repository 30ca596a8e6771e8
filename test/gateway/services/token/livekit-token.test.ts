/** CreateLiveKitToken: who may have which token, over the whole service. */
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { UserType } from "../../../../src/token/rooms/room-store.ts";
import { judgeLiveKitToken } from "../../../../src/token/targets/livekit/judge-token.ts";
import { livekit, startInMemoryServer } from "./in-memory-server.ts";
import type { InMemoryServer } from "./in-memory-server.ts";

let server: InMemoryServer;
let bare: InMemoryServer;
let tokensKey: string;
const members: readonly UserType[] = ["host", "presenter", "guest", "viewer"];

beforeAll(async () => {
  server = await startInMemoryServer({ livekit });
  server.time.nowMs = Math.floor(Date.now() / 1000) * 1000; // a whole second, so that lifetimes are whole too
  bare = await startInMemoryServer({ storage: server.storage });
  tokensKey = await server.service("tokens");
  await server.storage.rooms.create({
    roomName: "Talk",
    ownerUserId: "olga",
    access: "invited",
    members: members.map((userType) => ({ userId: userType, userType })),
    maxParticipants: 7,
    metadata: "the owner's",
    createTime: new Date(),
  });
});
afterAll(async () => {
  await bare.close();
  await server.close();
});

const asUser = (userId: string) => server.client(TokenService, server.user(userId));
const asService = () => server.client(TokenService, tokensKey);

async function errorOf(promise: Promise<unknown>): Promise<ConnectError> {
  const error = await promise.then(
    () => expect.unreachable("the call succeeded"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectError);
  return error as ConnectError;
}

describe("a user", () => {
  test.each(members)(
    "who is a %s gets a token that LiveKit takes, with their right and the owner's settings",
    async (userId) => {
      const answer = await asUser(userId).createLiveKitToken({ roomName: "Talk", participantName: "Me" });
      expect(answer).toMatchObject({
        url: livekit.url,
        roomName: "Talk",
        participantIdentity: userId,
        expiresIn: 3600,
      });
      const claims = decodeJwt(answer.token);
      expect(claims).toMatchObject({
        sub: userId,
        name: "Me",
        video: { roomJoin: true, room: "Talk", canPublish: userId !== "viewer" },
        roomConfig: { maxParticipants: 7, metadata: "the owner's" },
      });
      expect(timestampDate(answer.expireTime!).getTime()).toBe(claims.exp! * 1000);
      expect(judgeLiveKitToken(answer.token, { roomName: "Talk" }, livekit, server.time.nowMs).reason).toBe(
        "ok",
      );
    },
  );

  test("is the host of their own room", async () => {
    const { token } = await asUser("olga").createLiveKitToken({
      roomName: "Talk",
      permissions: { canUpdateOwnMetadata: true },
    });
    expect(decodeJwt(token)["video"]).toMatchObject({ canUpdateOwnMetadata: true });
  });

  test.each<[string, object, RegExp]>([
    ["to administer the room", { permissions: { roomAdmin: true } }, /^permissions\.room_admin: /],
    ["to record", { permissions: { roomRecord: true } }, /^permissions\.room_record: /],
    ["not to be seen", { permissions: { hidden: true } }, /^permissions\.hidden: /],
    [
      "to administer without a room",
      { roomName: "", permissions: { roomAdmin: true } },
      /^permissions\.room_admin: /,
    ],
    [
      "to share their screen",
      { permissions: { canPublishSources: ["screen_share"] } },
      /^permissions\.can_publish_sources: /,
    ],
    [
      "to change their metadata",
      { permissions: { canUpdateOwnMetadata: true } },
      /^permissions\.can_update_own_metadata: /,
    ],
    ["to be somebody else", { participantIdentity: "olga" }, /^participant_identity: /],
    ["to enter a room that is not theirs", { roomName: "Secret" }, /^room_name: /],
    [
      "to be forwarded into a room that is not theirs",
      { permissions: { destinationRoom: "Secret" } },
      /^permissions\.destination_room: /,
    ],
    ["to configure the room", { roomConfig: { maxParticipants: 3 } }, /^room_config: /],
  ])("who is a guest is forbidden %s, and told what of it", async (_, request, message) => {
    const error = await errorOf(asUser("guest").createLiveKitToken({ roomName: "Talk", ...request }));
    expect(error.code).toBe(Code.PermissionDenied);
    expect(error.rawMessage).toMatch(message);
  });

  test("who is a host may configure the room, but for what costs, and for what the owner has set", async () => {
    const config = (roomConfig: { [name: string]: number | string | object[] }) =>
      asUser("host").createLiveKitToken({ roomName: "Talk", roomConfig: roomConfig as never });
    const { token } = await config({ maxParticipants: 500, emptyTimeout: 60 });
    expect(decodeJwt(token)["roomConfig"]).toEqual({
      maxParticipants: 7,
      metadata: "the owner's",
      emptyTimeout: 60,
    });
    const error = await errorOf(config({ agents: [{ agentName: "coach" }] }));
    expect(error).toMatchObject({
      code: Code.PermissionDenied,
      rawMessage: expect.stringMatching(/^room_config\.agents: /) as string,
    });
  });

  test("may be forwarded into a room that they may enter", async () => {
    const { token } = await asUser("guest").createLiveKitToken({
      roomName: "Talk",
      permissions: { destinationRoom: "Talk" },
    });
    expect(decodeJwt(token)["video"]).toMatchObject({ destinationRoom: "Talk" });
  });

  test("must name the room", async () => {
    expect(await errorOf(asUser("guest").createLiveKitToken({}))).toMatchObject({
      code: Code.InvalidArgument,
    });
  });
});

describe("a service", () => {
  test("gets just what it asks for", async () => {
    const answer = await asService().createLiveKitToken({
      roomName: "nowhere",
      participantIdentity: "bot",
      attributes: { role: "coach" },
      metadata: "m",
      ttlSeconds: 60,
      permissions: {
        roomAdmin: true,
        canPublish: false,
        canPublishSources: ["microphone"],
        destinationRoom: "next",
      },
      roomConfig: { max_participants: 3 },
    });
    const { nbf, exp, ...claims } = decodeJwt(answer.token);
    expect(claims).toEqual({
      iss: livekit.apiKey,
      sub: "bot",
      attributes: { role: "coach" },
      metadata: "m",
      video: {
        roomJoin: true,
        room: "nowhere",
        canPublish: false,
        canSubscribe: true,
        canPublishData: true,
        canPublishSources: ["microphone"],
        roomAdmin: true,
        destinationRoom: "next",
      },
      roomConfig: { maxParticipants: 3 },
    });
    expect(exp! - nbf!).toBe(60);
  });

  test("may have a token that administers and joins nothing", async () => {
    const { token, participantIdentity } = await asService().createLiveKitToken({
      permissions: { roomJoin: false, roomList: true, roomCreate: true },
    });
    const claims = decodeJwt(token);
    expect(claims["video"]).toEqual({ roomList: true, roomCreate: true });
    expect(claims).not.toHaveProperty("sub");
    expect(participantIdentity).toBe("");
  });

  test.each<[string, object, RegExp]>([
    ["no room", { participantIdentity: "p" }, /^room_name: required/],
    ["no participant", { roomName: "r" }, /^participant_identity: required/],
    [
      "a participant that no token can carry",
      { roomName: "r", participantIdentity: "__proto__" },
      /^participant_identity: not a name/,
    ],
    [
      "an attribute of Parley's",
      { roomName: "r", participantIdentity: "p", attributes: { "parley.user_id": "canary" } },
      /^attributes: /,
    ],
    [
      "an attribute of LiveKit's",
      { roomName: "r", participantIdentity: "p", attributes: { "lk.agent.state": "canary" } },
      /^attributes: /,
    ],
    [
      "an unknown field of the room",
      { roomName: "r", participantIdentity: "p", roomConfig: { maxParticipant: "canary" } },
      /^room_config\.maxParticipant: /,
    ],
    [
      "an unknown source",
      { roomName: "r", participantIdentity: "p", permissions: { canPublishSources: ["ears"] } },
      /^permissions\.can_publish_sources/,
    ],
    ["every room", { roomName: "*", participantIdentity: "p" }, /^room_name: /],
    ["no lifetime", { roomName: "r", participantIdentity: "p", ttlSeconds: 0 }, /^ttl_seconds: /],
    ["a negative lifetime", { roomName: "r", participantIdentity: "p", ttlSeconds: -1 }, /^ttl_seconds: /],
    ["a lifetime of years", { roomName: "r", participantIdentity: "p", ttlSeconds: 1e9 }, /^ttl_seconds: /],
  ])("is told what is wrong with %s", async (_, request, message) => {
    const error = await errorOf(asService().createLiveKitToken(request));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toMatch(message);
    expect(error.rawMessage).not.toContain("canary");
  });
});

test("without LiveKit one is told which variables to set", async () => {
  const error = await errorOf(
    bare.client(TokenService, tokensKey).createLiveKitToken({ roomName: "r", participantIdentity: "p" }),
  );
  expect(error.code).toBe(Code.FailedPrecondition);
  expect(error.rawMessage).toBe(
    "LIVEKIT is not configured; set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET",
  );
});

test("nothing of all this was an internal error", () => {
  expect([...server.internalErrors, ...bare.internalErrors]).toEqual([]);
});
