/**
 * Classes 34 to 36: good credentials that ask for more than their bearers have: calls that are for others, grants beyond a
 * user's right, lifetimes beyond reason. Over gRPC, and where there is an old path over that too, in the same words.
 */
import { create, fromJson, toJson } from "@bufbuild/protobuf";
import type { DescMethod, JsonObject } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AnalysisService } from "../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { RoomAccess } from "../../gen/ts/parley/token/v1/room_pb.ts";
import { TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { TranscriptionService } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { transportTo } from "../e2e/speech-client.ts";
import { write } from "./compact-token.ts";
import { goodToken, room } from "./good-tokens.ts";
import { openPlaces } from "./places.ts";
import { openWorld } from "./world.ts";

const fixedKey = "the-fixed-service-key-of-an-old-backend";
const world = await openWorld({ env: { TRANSCRIPTION_SERVICE_API_KEY: fixedKey } });
const { server } = world;
const admin = createClient(TokenService, transportTo(server.url, server.apiKey));
const places = openPlaces({
  url: server.url,
  participantToken: () => write(goodToken(world, "a transcription token of the shared secret")),
});
/** A guest in the room of ada's, which is open, and the owner of one. */
const eve = login("eve");
const ada = login("ada");

beforeAll(async () => {
  await admin.createRoom({ roomName: room, ownerUserId: "ada", access: RoomAccess.OPEN });
  await admin.createRoom({ roomName: "private", ownerUserId: "ada", access: RoomAccess.INVITED });
  await admin.createRoom({ roomName: "eves", ownerUserId: "eve", access: RoomAccess.INVITED });
});
afterAll(async () => {
  places.close();
  await world.close();
});

function login(sub: string): string {
  const good = goodToken(world, "a login of the shared secret");
  return write({ ...good, claims: { ...good.claims, sub } });
}

interface Answer {
  readonly code: string;
  readonly message: string;
  readonly body: JsonObject;
}

/** `request` is protobuf JSON. */
async function overGrpc(method: DescMethod, request: JsonObject, credential: string): Promise<Answer> {
  const client = createClient(method.parent, transportTo(server.url, credential)) as unknown as Record<
    string,
    (message: unknown) => Promise<never>
  >;
  try {
    const answer = await client[method.localName]!(fromJson(method.input, request));
    return {
      code: "ok",
      message: "",
      body: toJson(method.output, create(method.output, answer)) as JsonObject,
    };
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    return {
      code: Code[code].replace(/(?<=[a-z])(?=[A-Z])/g, "_").toLowerCase(),
      message: rawMessage,
      body: {},
    };
  }
}

async function overRest(path: string, request: string, credential: string): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${credential}` },
    body: request,
  });
  const body = (await response.json()) as JsonObject;
  const { code = "ok", message = "" } = body as { code?: string; message?: string };
  return { code, message, body };
}

const {
  createSessionTokens,
  createTranscriptionToken,
  createLiveKitToken,
  createJitsiToken,
  createSfuToken,
} = TokenService.method;
const paths = new Map<DescMethod, string>([
  [createSessionTokens, "/api/livekit/token"],
  [createTranscriptionToken, "/api/transcription/token"],
  [createLiveKitToken, "/token/room"],
  [createJitsiToken, "/api/jitsi/generate-token"],
]);

/** Over gRPC, and over the old path if there is one. */
async function everyway(method: DescMethod, request: JsonObject, credential: string): Promise<Answer[]> {
  const path = paths.get(method);
  return [
    await overGrpc(method, request, credential),
    ...(path === undefined ? [] : [await overRest(path, JSON.stringify(request), credential)]),
  ];
}

describe("class 34: an API key that is not whole is no credential", () => {
  const [, id = "", secret = ""] = /^pk_([^_]+)_(.*)$/.exec(server.apiKey) ?? [];
  const swap = (text: string) =>
    text.replace(/[a-z]/gi, (letter) =>
      letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase(),
    );
  const flipped = (text: string) => (text.endsWith("A") ? `${text.slice(0, -1)}B` : `${text.slice(0, -1)}A`);

  test.each([
    ["a prefix of it", server.apiKey.slice(0, -1)],
    ["half of it", server.apiKey.slice(0, server.apiKey.length / 2)],
    ["no secret", `pk_${id}_`],
    ["no secret and no separator", `pk_${id}`],
    ["no id", `pk__${secret}`],
    ["the secret alone", secret],
    ["the prefix alone", "pk_"],
    ["more behind it", `${server.apiKey}A`],
    ["another last letter", `pk_${id}_${flipped(secret)}`],
    ["another id", `pk_${flipped(id)}_${secret}`],
    ["capital letters", server.apiKey.toUpperCase()],
    ["the secret in the other case", `pk_${id}_${swap(secret)}`],
    ["a capital prefix", server.apiKey.replace("pk_", "PK_")],
    ["padding", `${server.apiKey}=`],
    ["a prefix of the fixed key", fixedKey.slice(0, -1)],
    ["more behind the fixed key", `${fixedKey}x`],
    ["the fixed key in capital letters", fixedKey.toUpperCase()],
  ])("%s", async (_, key) => {
    for (const place of places.groups.map((group) => group.places[0]!)) {
      const { code, message } = await place.offer(key);
      expect({ code, message }, place.name).toEqual({ code: "unauthenticated", message: place.refusal });
    }
    expect(await admin.validateToken({ token: key })).toMatchObject({ valid: false });
  });

  test("whole it is let in, as far as its scopes go", async () => {
    const { key } = await admin.createApiKey({ displayName: "rooms only", scopes: ["rooms"] });
    expect(await overGrpc(TokenService.method.listRooms, {}, key)).toMatchObject({ code: "ok" });
    for (const [method, needed] of [
      [TokenService.method.getStats, "stats"],
      [TokenService.method.listApiKeys, "admin"],
      [createSessionTokens, "tokens"],
    ] as const) {
      const message = `this call needs an API key with scope "${needed}"`;
      expect(await overGrpc(method, {}, key)).toMatchObject({ code: "permission_denied", message });
      expect(await overGrpc(method, {}, fixedKey)).toMatchObject({ code: "permission_denied", message });
    }
    expect(
      await overRest("/api/interviews/analyze", '{"userId":"ada","candidateAnswer":"I did."}', fixedKey),
    ).toMatchObject({ code: "ok" });
  });
});

describe("class 34: a good credential of the wrong kind", () => {
  const participant = () => write(goodToken(world, "a transcription token of the shared secret"));
  const { saveUserModule, analyzeInterview } = AnalysisService.method;
  const { listSessions } = TranscriptionService.method;

  test.each([
    ["an API key on a user's RPC", saveUserModule, () => server.apiKey, "a user token, not for an API key"],
    [
      "a login on a service's RPC",
      TokenService.method.getStats,
      () => ada,
      'an API key with scope "stats", not for a user token',
    ],
    [
      "a login on an admin's RPC",
      TokenService.method.createApiKey,
      () => ada,
      'an API key with scope "admin", not for a user token',
    ],
    [
      "a participant's token on a user's RPC",
      listSessions,
      participant,
      'a user token or an API key with scope "transcripts", not for a participant token',
    ],
    [
      "a login on a participant's RPC",
      analyzeInterview,
      () => ada,
      'a participant token or an API key with scope "analysis", not for a user token',
    ],
  ] as const)("%s", async (_, method, credential, whose) => {
    expect(await overGrpc(method, {}, credential())).toMatchObject({
      code: "permission_denied",
      message: `this call is for ${whose}`,
    });
  });
});

describe("class 35: a user who asks for more than their right", () => {
  const grant = (name: string) => ({ roomName: room, permissions: { [name]: true } });
  const asGuest: readonly (readonly [named: string, method: DescMethod, request: JsonObject])[] = [
    ["permissions.room_admin", createLiveKitToken, grant("roomAdmin")],
    ["permissions.room_record", createLiveKitToken, grant("roomRecord")],
    ["permissions.room_create", createLiveKitToken, grant("roomCreate")],
    ["permissions.room_list", createLiveKitToken, grant("roomList")],
    ["permissions.ingress_admin", createLiveKitToken, grant("ingressAdmin")],
    ["permissions.hidden", createLiveKitToken, grant("hidden")],
    ["permissions.recorder", createLiveKitToken, grant("recorder")],
    ["permissions.agent", createLiveKitToken, grant("agent")],
    [
      "permissions.can_publish_sources",
      createLiveKitToken,
      { roomName: room, permissions: { canPublishSources: ["screen_share"] } },
    ],
    [
      "permissions.destination_room",
      createLiveKitToken,
      { roomName: room, permissions: { destinationRoom: "private" } },
    ],
    ["room_config", createLiveKitToken, { roomName: room, roomConfig: { maxParticipants: 1000 } }],
    ["participant_identity", createSessionTokens, { roomName: room, participantIdentity: "ada" }],
    ["participant_identity", createTranscriptionToken, { roomName: room, participantIdentity: "ada" }],
    ["participant_identity", createLiveKitToken, { roomName: room, participantIdentity: "ada" }],
    ["user_id", createSessionTokens, { roomName: room, userId: "ada" }],
    ["user_id", createTranscriptionToken, { roomName: room, userId: "ada" }],
    ["user_id", createJitsiToken, { roomName: room, userId: "ada" }],
    ["user_id", createSfuToken, { roomName: room, userId: "ada" }],
    ["user_type", createSessionTokens, { roomName: room, userType: "USER_TYPE_HOST" }],
    ["user_type", createTranscriptionToken, { roomName: room, userType: "USER_TYPE_HOST" }],
    ["user_type", createSfuToken, { roomName: room, userType: "USER_TYPE_PRESENTER" }],
    ["participant_email", createSessionTokens, { roomName: room, participantEmail: "ada@example.com" }],
    ["user_email", createJitsiToken, { roomName: room, userEmail: "ada@example.com" }],
    ["email", createSfuToken, { roomName: room, email: "ada@example.com" }],
    ["room_name", createSessionTokens, { roomName: "private" }],
    ["room_name", createTranscriptionToken, { roomName: "private" }],
    ["room_name", createLiveKitToken, { roomName: "private" }],
    ["room_name", createJitsiToken, { roomName: "private" }],
    ["room_name", createSfuToken, { roomName: "private" }],
    ["moderator", createJitsiToken, { roomName: room, moderator: true }],
    ["features.recording", createJitsiToken, { roomName: room, features: { recording: true } }],
    ["room_name", createJitsiToken, { roomName: "*" }],
    ["context.room", createJitsiToken, { roomName: "eves", context: { room: { regex: true } } }],
  ];

  test.each(asGuest.map(([named, method, request]) => ({ named, rpc: method.name, request, method })))(
    "$rpc names $named: $request",
    async ({ named, method, request }) => {
      const answers = await everyway(method, request, eve);
      for (const { code, message } of answers) {
        expect({ code, message }).toEqual({ code: "permission_denied", message: answers[0]?.message });
        expect(message).toMatch(new RegExp(`^${named.replace(".", "\\.")}\\b`));
      }
    },
  );

  test("a revocation of another user's tokens, or for another's room, is refused", async () => {
    const { revokeTokens } = TokenService.method;
    for (const [selector, named] of [
      [{ userId: "ada" }, "user_id"],
      [{ roomName: room }, "room_name"],
    ] as const) {
      const { code, message } = await overGrpc(revokeTokens, selector, eve);
      expect({ code, message }).toMatchObject({
        code: "permission_denied",
        message: expect.stringContaining(named) as string,
      });
    }
  });

  test("what lies within their right they get, and a service gets the rest", async () => {
    const own = [
      await overGrpc(createJitsiToken, { roomName: room, moderator: true }, ada),
      await overGrpc(createSessionTokens, { roomName: room, userType: "USER_TYPE_HOST" }, ada),
      await overGrpc(createLiveKitToken, { roomName: room, permissions: { canPublish: true } }, eve),
    ];
    expect(own.map(({ code }) => code)).toEqual(["ok", "ok", "ok"]);
    const request = {
      roomName: room,
      participantIdentity: "bot",
      permissions: { roomAdmin: true, hidden: true },
    };
    for (const { code, body } of await everyway(createLiveKitToken, request, server.apiKey)) {
      expect(code).toBe("ok");
      expect(decodeJwt(body["token"] as string)).toMatchObject({ video: { roomAdmin: true, hidden: true } });
    }
  });
});

describe("class 36: a lifetime out of bounds", () => {
  const withTtl = TokenService.methods.filter((method) => method.input.field["ttlSeconds"]);
  const requestOf = (ttlSeconds: unknown) => ({ roomName: room, ttlSeconds }) as JsonObject;

  test("every RPC that takes one is here", () => {
    expect(withTtl.map(({ name }) => name)).toEqual([
      "CreateTranscriptionToken",
      "CreateLiveKitToken",
      "CreateJitsiToken",
      "CreateSfuToken",
    ]);
  });

  describe.each(withTtl)("$name", (method) => {
    test.each([0, -1, 1e9, 59, 86_401, -2_147_483_648, 2_147_483_647])("%d s", async (ttlSeconds) => {
      for (const credential of [ada, server.apiKey]) {
        for (const answer of await everyway(method, requestOf(ttlSeconds), credential)) {
          expect(answer).toMatchObject({ code: "invalid_argument" });
          expect(answer.message).toMatch(/^ttl_seconds\b/);
        }
      }
    });

    test.each([60, 86_400])("%d s is good, and is what the token lives", async (ttlSeconds) => {
      for (const { code, body } of await everyway(method, requestOf(ttlSeconds), ada)) {
        expect(code).toBe("ok");
        const { exp = 0, iat, nbf } = decodeJwt(body["token"] as string);
        expect(Math.abs(exp - (iat ?? nbf ?? 0) - ttlSeconds)).toBeLessThanOrEqual(10); // Jitsi's nbf lies 10 s back
      }
    });
  });

  test.each(withTtl.flatMap((method) => paths.get(method) ?? []))(
    "over %s, a number that is no lifetime at all",
    async (path) => {
      for (const ttl of [
        "1e300",
        "1e999",
        "60.5",
        '"0"',
        '"forever"',
        "true",
        "[60]",
        '""',
        "9007199254740993",
      ]) {
        for (const name of ["ttlSeconds", "ttl_seconds"]) {
          const { code } = await overRest(path, `{"roomName":"${room}","${name}":${ttl}}`, ada);
          expect(code, ttl).toBe("invalid_argument");
        }
      }
    },
  );
});
