/** Credentials of plain HTTP calls to Parley's services: as on gRPC, from the one header and from nowhere else. */
import { connect as connectTcp } from "node:net";
import { request as requestHttp1 } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createGateway, type Gateway } from "../../../src/gateway/create-gateway.ts";
import { silentLog } from "../../storage/silent-log.ts";
import { frame, greeting, literal } from "../listener/raw-frames.ts";
import { startInMemoryServer, type InMemoryServer } from "../services/token/in-memory-server.ts";
import { httpVersions } from "./ask.ts";

let server: InMemoryServer;
let gateway: Gateway;
let port: number;

beforeAll(async () => {
  server = await startInMemoryServer();
  gateway = createGateway({
    routes: server.routes,
    interceptors: server.interceptors,
    health: () => ({ ready: true, dependencies: {} }),
    descriptors: [],
    allowedOrigins: [],
    log: silentLog,
  });
  ({ port } = await gateway.listen(0, "127.0.0.1"));
});
afterAll(async () => {
  await gateway.stop({ graceMs: 0 });
  await server.close();
});

const path = "/api/transcription/token";
const participant = { roomName: "interview-1", participantIdentity: "ada" };

describe.each(httpVersions)("over %s", (_, ask) => {
  const post = (headers: Record<string, string>, target = path, body: unknown = participant) =>
    ask(port, { path: target, headers, body });

  test("a good credential is let in, whatever the case of its scheme", async () => {
    const key = await server.service("tokens");
    for (const scheme of ["Bearer", "bearer"]) {
      expect(await post({ authorization: `${scheme} ${key}` })).toMatchObject({
        status: 200,
        json: participant,
      });
    }
  });

  test.each<[string, Record<string, string>]>([
    ["none", {}],
    ["an empty one", { authorization: "" }],
    ["no scheme", { authorization: "abc" }],
    ["another scheme", { authorization: "Basic YTpi" }],
    ["a token that nobody signed", { authorization: "Bearer a.b.c" }],
    ["an unknown API key", { authorization: "Bearer pk_0123456789abcdef_x" }],
  ])("%s is 401", async (_name, headers) => {
    const answer = await post(headers);
    expect(answer.json).toEqual({
      statusCode: 401,
      error: "Unauthorized",
      code: "unauthenticated",
      message: "missing or bad credential; send `authorization: Bearer <token or API key>`",
    });
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
  });

  test("one in the URL, the body, a cookie or another header is 401", async () => {
    const key = await server.service("tokens");
    for (const name of ["token", "access_token", "authorization", "key"]) {
      expect(await post({}, `${path}?${name}=${key}`)).toMatchObject({ status: 401 });
      expect(await post({}, path, { ...participant, [name]: key })).toMatchObject({ status: 401 });
    }
    const elsewhere = { cookie: `authorization=Bearer ${key}`, "x-api-key": key };
    expect(await post(elsewhere)).toMatchObject({ status: 401 });
  });

  test.each([
    [
      "a service key on a path for users",
      "/user_modules/user/ada",
      () => server.service("tokens", "analysis"),
    ],
    ["an administrator's key there", "/user_modules/user/ada", () => server.service("admin")],
    ["a user on a path for services", "/stats", () => Promise.resolve(server.user("ada"))],
    ["a service key of another scope", "/stats", () => server.service("tokens")],
    [
      "a participant on a path for users",
      "/user_modules/user/ada",
      () => Promise.resolve(server.participant("ada")),
    ],
  ])("%s is 403 and told what it takes", async (_name, target, credential) => {
    const answer = await ask(port, {
      path: target,
      headers: { authorization: `Bearer ${await credential()}` },
    });
    expect(answer).toMatchObject({
      status: 403,
      json: { statusCode: 403, error: "Forbidden", code: "permission_denied" },
    });
    expect((answer.json as { message: string }).message).toMatch(/^this call (is for|needs) /);
    expect(answer.headers["www-authenticate"]).toBeUndefined();
  });

  test("a request that breaks the rules of its proto is 400 and names the field", async () => {
    const authorization = `Bearer ${await server.service("tokens")}`;
    const answer = await post({ authorization }, path, {
      ...participant,
      room_name: undefined,
      roomName: "a*",
    });
    expect(answer).toMatchObject({ status: 400, json: { code: "invalid_argument" } });
    expect((answer.json as { message: string }).message).toMatch(/^room_name: /);
  });
});

describe("two authorization headers are 401, even when each is good", () => {
  test("over HTTP/1.1", async () => {
    const key = `Bearer ${await server.service("tokens")}`;
    const send = (...credentials: string[]) =>
      new Promise<number>((resolve, reject) => {
        const body = JSON.stringify(participant);
        const headers = [
          ["host", "localhost"],
          ["content-type", "application/json"],
          ["content-length", String(body.length)],
          ...credentials.map((credential) => ["authorization", credential]),
        ];
        const request = requestHttp1(
          { host: "127.0.0.1", port, path, method: "POST", headers: headers.flat(), agent: false },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        );
        request.on("error", reject);
        request.end(body);
      });
    expect(await send(key)).toBe(200);
    expect(await send(key, key)).toBe(401);
    expect(await send(key, "Bearer x")).toBe(401);
    expect(await send(key, "")).toBe(401);
  });

  test("over HTTP/2", async () => {
    const key = `Bearer ${await server.service("tokens")}`;
    const send = async (...credentials: string[]) => {
      const socket = connectTcp(port, "127.0.0.1");
      const fields = [
        [":method", "POST"],
        [":scheme", "http"],
        [":path", path],
        [":authority", "localhost"],
        ...credentials.map((credential) => ["authorization", credential]),
      ].map(([name, value]) => literal(name!, value!));
      const endHeaders = 4;
      const endStream = 1;
      socket.write(
        Buffer.concat([
          greeting,
          frame(1, endHeaders, 1, Buffer.concat(fields)),
          frame(0, endStream, 1, Buffer.from(JSON.stringify(participant))),
        ]),
      );
      let answer = "";
      for await (const bytes of socket) {
        answer += (bytes as Buffer).toString("latin1");
        if (/\{.*\}/s.test(answer)) break; // the body; the connection would stay open
      }
      socket.destroy();
      return answer;
    };
    expect(await send(key)).toContain('"token"');
    expect(await send(key, key)).toContain('"statusCode":401');
    expect(await send(key, "Bearer x")).toContain('"statusCode":401');
  });

  test("joined into one by a proxy", async () => {
    const key = `Bearer ${await server.service("tokens")}`;
    const socket = connectTcp(port, "127.0.0.1");
    socket.end(
      `POST ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: ${key}, ${key}\r\ncontent-length: 0\r\n\r\n`,
    );
    expect(await text(socket)).toContain("401 Unauthorized");
  });
});
