/** CreateSfuToken: who may have which token, over the whole service. */
import { Code, ConnectError } from "@connectrpc/connect";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UserType } from "../../../../gen/ts/parley/token/v1/room_pb.ts";
import { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import { issueUserToken } from "../../../../src/token/users/user-token.ts";
import { settings } from "../../../token/make-token.ts";
import { sfu, startInMemoryServer } from "./in-memory-server.ts";
import type { InMemoryServer } from "./in-memory-server.ts";

let server: InMemoryServer;
let bare: InMemoryServer;
let tokensKey: string;

beforeAll(async () => {
  server = await startInMemoryServer({ sfu });
  server.time.nowMs = Math.floor(Date.now() / 1000) * 1000; // a whole second, so that lifetimes are whole too
  bare = await startInMemoryServer({ storage: server.storage });
  tokensKey = await server.service("tokens");
  await server.storage.rooms.create({
    roomName: "Talk",
    ownerUserId: "olga",
    access: "invited",
    members: [{ userId: "ada", userType: "guest" }],
    createTime: new Date(),
  });
});
afterAll(async () => {
  await bare.close();
  await server.close();
});

const asService = () => server.client(TokenService, tokensKey);
const asAda = () =>
  server.client(
    TokenService,
    issueUserToken({ userId: "ada", email: "ada@example.com", ttlSeconds: 60 }, settings, server.time.nowMs)
      .token,
  );

async function errorOf(promise: Promise<unknown>): Promise<ConnectError> {
  const error = await promise.then(
    () => expect.unreachable("the call succeeded"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectError);
  return error as ConnectError;
}

function claimsOf(token: string): object {
  const { iat, exp, ...claims } = decodeJwt(token);
  expect(exp! - iat!).toBe(3600);
  return claims;
}

test("a user gets in as what the room says, with the address of their login", async () => {
  const answer = await asAda().createSfuToken({ roomName: "Talk" });
  expect(answer).toMatchObject({ url: sfu.url, expiresIn: 3600 });
  expect(claimsOf(answer.token)).toEqual({
    user_id: "ada",
    email: "ada@example.com",
    room: "Talk",
    user_type: "guest",
  });
  const { token } = await asAda().createSfuToken({
    roomName: "Talk",
    userType: UserType.VIEWER,
    userId: "ada",
    email: "ada@example.com",
  });
  expect(claimsOf(token)).toMatchObject({ user_type: "viewer" });
});

test.each<[string, object, RegExp]>([
  ["to be somebody else", { userId: "olga" }, /^user_id: /],
  ["another's address", { email: "olga@example.com" }, /^email: /],
  ["more than their right", { userType: UserType.PRESENTER }, /^user_type: .*GUEST/],
  ["a room that is not theirs", { roomName: "Secret" }, /^room_name: /],
])("a user is forbidden %s, and told what of it", async (_, request, message) => {
  const error = await errorOf(asAda().createSfuToken({ roomName: "Talk", ...request }));
  expect(error.code).toBe(Code.PermissionDenied);
  expect(error.rawMessage).toMatch(message);
});

test("a service brings anyone into any room", async () => {
  const { token } = await asService().createSfuToken({
    roomName: "nowhere",
    userId: "eve",
    email: "eve@example.com",
    userType: UserType.PRESENTER,
  });
  expect(claimsOf(token)).toEqual({
    user_id: "eve",
    email: "eve@example.com",
    room: "nowhere",
    user_type: "presenter",
  });
  expect(claimsOf((await asService().createSfuToken({ roomName: "r", userId: "eve" })).token)).toEqual({
    user_id: "eve",
    room: "r",
    user_type: "host",
  });
});

test.each<[string, object, RegExp]>([
  ["no user", { roomName: "r" }, /^user_id: a service must name/],
  [
    "a user that no token can carry",
    { roomName: "r", userId: "__proto__" },
    /not a name that a token can carry/,
  ],
  ["every room", { roomName: "*", userId: "u" }, /^room_name: /],
  ["a lifetime of years", { roomName: "r", userId: "u", ttlSeconds: 1e9 }, /^ttl_seconds: /],
])("a service is told what is wrong with %s", async (_, request, message) => {
  const error = await errorOf(asService().createSfuToken(request));
  expect(error.code).toBe(Code.InvalidArgument);
  expect(error.rawMessage).toMatch(message);
});

test("without the SFU one is told which variables to set", async () => {
  const error = await errorOf(
    bare.client(TokenService, tokensKey).createSfuToken({ roomName: "r", userId: "u" }),
  );
  expect(error).toMatchObject({
    code: Code.FailedPrecondition,
    rawMessage: "SFU is not configured; set SFU_URL and SFU_JWT_SECRET",
  });
});

test("nothing of all this was an internal error", () => {
  expect([...server.internalErrors, ...bare.internalErrors]).toEqual([]);
});
