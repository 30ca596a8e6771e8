/** What Parley does at a LiveKit server: asked, mirrored, removed. Against a real one, and against what is none. */
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StoredRoom } from "../../../../src/token/rooms/room-store.ts";
import { issueLiveKitToken } from "../../../../src/token/targets/livekit/issue-token.ts";
import type { LiveKitSettings } from "../../../../src/token/targets/livekit/issue-token.ts";
import type { LiveKitError } from "../../../../src/token/targets/livekit/livekit-error.ts";
import { LiveKitServer } from "../../../../src/token/targets/livekit/livekit-server.ts";
import type { LiveKitServerOptions } from "../../../../src/token/targets/livekit/livekit-server.ts";
import { roomConfigOf } from "../../../../src/token/targets/livekit/room-config.ts";
import { freePort } from "../../../e2e/server-process.ts";
import { joinRoom } from "../../../livekit-server/join-room.ts";
import type { JoinedParticipant, JoinParameters } from "../../../livekit-server/join-room.ts";
import { describeLiveKitServer } from "../../../livekit-server/livekit-server-process.ts";

const problems: { message: string; error: LiveKitError }[] = [];
const closers: (() => void)[] = [];
let used = 0;
/** New for each test. */
let roomName: string;
beforeEach(() => {
  problems.length = 0;
  roomName = `room ${used++}`;
});
afterEach(() => closers.splice(0).forEach((close) => close()));

const keys = { apiKey: "APIkey", apiSecret: "a-livekit-secret-of-32-bytes-at-least" };
const open = (settings: LiveKitSettings, options: Partial<LiveKitServerOptions> = {}) =>
  new LiveKitServer(settings, {
    now: Date.now,
    onProblem: (message, error) => problems.push({ message, error }),
    ...options,
  });
const room = (fields: Partial<StoredRoom> = {}): StoredRoom => ({
  roomName,
  ownerUserId: "olga",
  access: "invited",
  members: [],
  createTime: new Date(),
  ...fields,
});

describeLiveKitServer("LiveKit", (server) => {
  const livekit = (settings: Partial<LiveKitSettings> = {}) => open({ ...server().settings, ...settings });
  const roomThere = async (name = roomName) => (await server().client.listRooms([name])).at(0);
  const identities = async (name = roomName) =>
    (await server().client.listParticipants(name)).map(({ identity }) => identity).sort();

  async function join(
    participantIdentity: string,
    fields: { roomName?: string; userId?: string; of?: StoredRoom } = {},
    parameters: JoinParameters = {},
  ): Promise<JoinedParticipant> {
    const { settings, httpUrl } = server();
    const { of, ...request } = fields;
    const roomConfig = of && roomConfigOf(of);
    const { token } = issueLiveKitToken(
      {
        roomName,
        participantIdentity,
        userType: "guest",
        ttlSeconds: 60,
        ...request,
        ...(roomConfig && { roomConfig }),
      },
      settings,
      Date.now(),
    );
    const joined = await joinRoom(httpUrl, token, parameters);
    closers.push(() => joined.leave());
    return joined;
  }

  describe("asked for its state", () => {
    test("says that it answers, and how many rooms it has open", async () => {
      const before = (await server().client.listRooms()).length;
      await server().client.createRoom({ name: roomName });
      const status = await livekit().status();
      expect(status).toEqual({
        state: "ok",
        roomCount: before + 1,
        latencyMs: expect.any(Number) as number,
      });
      expect(status.latencyMs).toBeLessThan(3000);
    });

    test.each(["ws://", "http://", "WS://", "Http://"])("is found under %s", async (scheme) => {
      const url = server().httpUrl.replace("http://", scheme);
      expect(await livekit({ url }).status()).toMatchObject({ state: "ok" });
      expect(await livekit({ url: `${url}/` }).status()).toMatchObject({ state: "ok" });
    });

    test.each<[string, Partial<LiveKitSettings>]>([
      ["secret", { apiSecret: "another-secret-of-32-bytes-at-least" }],
      ["key", { apiKey: "APIother" }],
    ])("takes no other %s, which is not the same as no answer", async (_, wrong) => {
      expect(await livekit(wrong).status()).toMatchObject({ state: "unauthorized", roomCount: 0 });
    });
  });

  describe("mirrors", () => {
    test("a new room with its settings", async () => {
      await livekit().createRoom(room({ maxParticipants: 3, metadata: '{"topic":"Ünïcode"}' }));
      expect(await roomThere()).toMatchObject({ maxParticipants: 3, metadata: '{"topic":"Ünïcode"}' });
    });

    test("a room without settings, and one that is open there already, which stays", async () => {
      await livekit().createRoom(room());
      expect(await roomThere()).toMatchObject({ maxParticipants: 0, metadata: "" });
      await livekit().createRoom(room({ metadata: "late" }));
      expect(await roomThere()).toMatchObject({ metadata: "" });
      expect(problems).toEqual([]);
    });

    test("new metadata, also when it is emptied", async () => {
      const [first, second, none] = [room({ metadata: "first" }), room({ metadata: "second" }), room()];
      await livekit().createRoom(first);
      await livekit().updateRoom(first, second);
      expect(await roomThere()).toMatchObject({ metadata: "second" });
      await livekit().updateRoom(second, none);
      expect(await roomThere()).toMatchObject({ metadata: "" });
    });

    test("a new limit only when the room is opened anew", async () => {
      const [three, five] = [room({ maxParticipants: 3 }), room({ maxParticipants: 5 })];
      await livekit().createRoom(three);
      await livekit().updateRoom(three, five);
      expect(await roomThere()).toMatchObject({ maxParticipants: 3 });
      await server().client.deleteRoom(roomName);
      await join("ada", { of: five });
      expect(await roomThere()).toMatchObject({ maxParticipants: 5 });
    });

    test("the end of a room, and puts everybody out", async () => {
      const ada = await join("ada");
      await livekit().deleteRoom(roomName);
      await ada.putOut;
      expect(await roomThere()).toBeUndefined();
    });

    test("nothing of a room that is not open there, which is no problem", async () => {
      await livekit().updateRoom(room(), room({ metadata: "m" }));
      await livekit().deleteRoom(roomName);
      expect(await roomThere()).toBeUndefined();
      expect(problems).toEqual([]);
    });

    test("nothing with a wrong secret, and what is reported holds no token", async () => {
      const refused = livekit({ apiSecret: "another-secret-of-32-bytes-at-least" });
      await refused.createRoom(room());
      await refused.updateRoom(room(), room({ metadata: "m" }));
      await refused.deleteRoom(roomName);
      expect(await refused.removeParticipants({ userId: "ada" })).toBe(0);
      expect(problems.map(({ error }) => error.code)).toEqual(Array(4).fill("unauthorized"));
      for (const { message, error } of problems) {
        expect(`${message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain(
          "eyJ",
        );
      }
      expect(await roomThere()).toBeUndefined();
    });
  });

  describe("makes a room when the first comes with a token that tells its settings", () => {
    test("as they are told", async () => {
      await join("ada", { of: room({ maxParticipants: 2, metadata: 'a "quoted" word' }) });
      expect(await roomThere()).toMatchObject({ maxParticipants: 2, metadata: 'a "quoted" word' });
      await join("bob");
      await expect(join("eve")).rejects.toThrow("HTTP");
      expect(await identities()).toEqual(["ada", "bob"]);
    });

    test("and leaves one as it is that is open already", async () => {
      await join("ada", { of: room({ maxParticipants: 2, metadata: "first" }) });
      await join("bob", { of: room({ maxParticipants: 9, metadata: "second" }) });
      expect(await roomThere()).toMatchObject({ maxParticipants: 2, metadata: "first" });
    });

    test("without metadata that is longer than a token can carry", async () => {
      await join("ada", { of: room({ maxParticipants: 2, metadata: "m".repeat(3000) }) });
      expect(await roomThere()).toMatchObject({ maxParticipants: 2, metadata: "" });
    });
  });

  describe("removes", () => {
    test("everybody from a room, and nobody from another", async () => {
      const elsewhere = `${roomName} b`;
      const [ada, bob, other] = [
        await join("ada"),
        await join("bob"),
        await join("ada", { roomName: elsewhere }),
      ];
      expect(await livekit().removeParticipants({ roomName })).toBe(2);
      await Promise.all([ada.putOut, bob.putOut]);
      expect(await identities()).toEqual([]);
      expect(await identities(elsewhere)).toEqual(["ada"]);
      expect(other.isIn()).toBe(true);
    });

    test("a user from every room, under whatever identity", async () => {
      const user = `user-${used}`;
      const elsewhere = `${roomName} b`;
      const leaving = [
        await join(user),
        await join("phone", { userId: user }),
        await join("laptop", { userId: user, roomName: elsewhere }),
      ];
      const staying = [
        await join("bob"),
        await join("tablet", { userId: "bob" }),
        await join(`${user}-2`),
        await join(user.toUpperCase(), { roomName: elsewhere }),
      ];
      expect(await livekit().removeParticipants({ userId: user })).toBe(3);
      await Promise.all(leaving.map(({ putOut }) => putOut));
      expect(await identities()).toEqual(["bob", "tablet", `${user}-2`].sort());
      expect(await identities(elsewhere)).toEqual([user.toUpperCase()]);
      expect(staying.every((one) => one.isIn())).toBe(true);
    });

    test("a user from one room only", async () => {
      const elsewhere = `${roomName} b`;
      const ada = await join("ada");
      await join("bob");
      await join("ada", { roomName: elsewhere });
      expect(await livekit().removeParticipants({ roomName, userId: "ada" })).toBe(1);
      await ada.putOut;
      expect(await identities()).toEqual(["bob"]);
      expect(await identities(elsewhere)).toEqual(["ada"]);
    });

    test("a user's second connection, to which LiveKit gives an identity of its own", async () => {
      const second = await join("ada", {}, { publish: "screen" });
      expect(await identities()).toEqual(["ada#screen"]);
      expect(await livekit().removeParticipants({ roomName, userId: "ada" })).toBe(1);
      await second.putOut;
    });

    test("nobody by the id of a token, nobody who is not there, and nobody from no room", async () => {
      const ada = await join("ada");
      expect(await livekit().removeParticipants({ tokenId: "ada" })).toBe(0);
      expect(await livekit().removeParticipants({ userId: "nobody" })).toBe(0);
      expect(await livekit().removeParticipants({ roomName: `${roomName} b` })).toBe(0);
      expect(await livekit().removeParticipants({ roomName: `${roomName} b`, userId: "ada" })).toBe(0);
      expect(ada.isIn()).toBe(true);
      expect(problems).toEqual([]);
    });

    test("more than are removed at once", async () => {
      const all = await Promise.all(Array.from({ length: 20 }, (_, number) => join(`user ${number}`)));
      expect(await identities()).toHaveLength(20);
      expect(await livekit().removeParticipants({ roomName })).toBe(20);
      await Promise.all(all.map(({ putOut }) => putOut));
    });

    test("no more when the time for it is over, and says so", async () => {
      const ada = await join("ada");
      let nowMs = 0;
      const slow = open(server().settings, { now: () => (nowMs += 5000), removalTimeoutMs: 9000 });
      expect(await slow.removeParticipants({ roomName })).toBe(0);
      expect(problems).toMatchObject([{ error: { code: "unreachable" } }]);
      expect(ada.isIn()).toBe(true);
    });
  });
});

describe("what is no LiveKit server", () => {
  /** Answers all requests so; how many there were. */
  async function listen(answer: RequestListener): Promise<{ url: string; requests: () => number }> {
    let count = 0;
    const server = createServer((request, response) => {
      count += 1;
      request.resume();
      answer(request, response);
    });
    closers.push(() => {
      server.close();
      server.closeAllConnections();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    return { url: `ws://127.0.0.1:${port}`, requests: () => count };
  }

  test("and answers with a page, or an error, is failing", async () => {
    for (const answer of [
      (_, response) => response.end("<html>"),
      (_, response) => response.writeHead(503).end(),
      (_, response) => response.writeHead(404).end(),
      (_, response) => response.writeHead(200, { "content-type": "application/json" }).end('{"rooms":5}'),
    ] satisfies RequestListener[]) {
      const { url } = await listen(answer);
      expect(await open({ url, ...keys }).status()).toMatchObject({ state: "failing", roomCount: 0 });
    }
  });

  test(
    "because nothing is there, or nothing answers in time, is unreachable",
    { timeout: 8000 },
    async () => {
      const nowhere = { url: `ws://127.0.0.1:${await freePort()}`, ...keys };
      const unreachable = { state: "unreachable", roomCount: 0, latencyMs: 0 };
      expect(await open(nowhere).status()).toEqual(unreachable);
      const { url } = await listen(() => undefined);
      expect(await open({ url, ...keys }, { timeoutMs: 50 }).status()).toEqual(unreachable);
    },
  );

  test("holds nothing up, and each failure is reported", async () => {
    const { url } = await listen(() => undefined);
    const silent = open({ url, ...keys }, { timeoutMs: 50 });
    await silent.createRoom(room());
    await silent.updateRoom(room(), room({ metadata: "m" }));
    await silent.deleteRoom(roomName);
    expect(await silent.removeParticipants({ userId: "ada" })).toBe(0);
    expect(await silent.removeParticipants({ roomName })).toBe(0);
    expect(problems.map(({ error }) => error.code)).toEqual(Array(5).fill("unreachable"));
    expect(new Set(problems.map(({ message }) => message)).size).toBe(4);
  });

  test("is asked once for its state by all who ask meanwhile", async () => {
    const { url, requests } = await listen((_, response) =>
      response.writeHead(200, { "content-type": "application/json" }).end('{"rooms":[]}'),
    );
    const server = open({ url, ...keys });
    const [first, ...others] = await Promise.all([server.status(), server.status(), server.status()]);
    expect(first).toMatchObject({ state: "ok" });
    expect(others).toEqual([first, first]);
    expect(requests()).toBe(1);
    await server.status();
    expect(requests()).toBe(2);
  });

  test("is told of nothing that did not change", async () => {
    const { url, requests } = await listen((_, response) => response.writeHead(500).end());
    await open({ url, ...keys }).updateRoom(room({ metadata: "m" }), room({ metadata: "m", access: "open" }));
    expect(requests()).toBe(0);
  });

  test("and loses a participant between list and removal does not count it, nor one that it cannot remove", async () => {
    const { url } = await listen((request, response) => {
      const answer = (status: number, body: object) =>
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      if (request.url?.endsWith("/ListParticipants")) {
        answer(200, { participants: [{ identity: "gone" }, { identity: "stuck" }, { identity: "leaves" }] });
        return;
      }
      let text = "";
      request.on("data", (bytes: Buffer) => (text += bytes.toString()));
      request.on("end", () => {
        const { identity } = JSON.parse(text) as { identity: string };
        if (identity === "gone") answer(404, { code: "not_found", msg: "participant not found" });
        else if (identity === "stuck") answer(503, { code: "unavailable", msg: "a secret" });
        else answer(200, {});
      });
    });
    expect(await open({ url, ...keys }).removeParticipants({ roomName })).toBe(1);
    expect(problems).toMatchObject([
      { error: { code: "failing", message: "LiveKit answers with HTTP 503" } },
    ]);
  });
});
