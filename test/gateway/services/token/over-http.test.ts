import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { text } from "node:stream/consumers";
import { randomUUID } from "node:crypto";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { AnalysisService } from "../../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import { createGateway } from "../../../../src/gateway/create-gateway.ts";
import type { Gateway } from "../../../../src/gateway/create-gateway.ts";
import { silentLog } from "../../../storage/silent-log.ts";
import { startInMemoryServer } from "./in-memory-server.ts";
import type { InMemoryServer } from "./in-memory-server.ts";

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

const path = "/parley.token.v1.TokenService/ListApiKeys";

/** The HTTP status of a Connect call, sent line by line so that headers can stand twice. */
async function overHttp1(lines: readonly string[], target = path): Promise<number> {
  const socket = connectTcp(port, "127.0.0.1");
  socket.end(
    [
      `POST ${target} HTTP/1.1`,
      "host: localhost",
      "connection: close",
      "content-type: application/json",
      "content-length: 2",
      ...lines,
      "",
      "{}",
    ].join("\r\n"),
  );
  const answer = await text(socket);
  return Number(answer.split(" ")[1]);
}

async function overHttp2(authorization: string, target = path): Promise<number> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": target,
      "content-type": "application/json",
      authorization,
    });
    const status = new Promise<number>((resolve, reject) => {
      stream.on("response", (headers) => {
        resolve(headers[":status"] ?? 0);
      });
      stream.on("error", reject);
    });
    stream.end("{}");
    const got = await status;
    stream.resume();
    return got;
  } finally {
    session.close();
  }
}

describe("the credential", () => {
  test("in its one header is taken", async () => {
    const key = await server.service("admin");
    expect(await overHttp1([`authorization: Bearer ${key}`])).toBe(200);
    expect(await overHttp2(`Bearer ${key}`)).toBe(200);
  });

  test("in the URL of an RPC is not looked at", async () => {
    const key = await server.service("admin");
    for (const name of ["token", "access_token", "authorization"]) {
      const target = `${path}?${name}=${key}`;
      expect(await overHttp1([], target)).toBe(401);
      expect(await overHttp2("", target)).toBe(401);
    }
  });

  test("in another header or in a cookie is not looked at", async () => {
    const key = await server.service("admin");
    expect(
      await overHttp1([
        `cookie: authorization=Bearer ${key}`,
        `x-api-key: ${key}`,
        `proxy-authorization: Bearer ${key}`,
      ]),
    ).toBe(401);
  });
});

describe.each<[string, (baseUrl: string) => Transport]>([
  ["gRPC", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["gRPC-web", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
  ["Connect over HTTP/1.1", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1" })],
  ["Connect over HTTP/2", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2" })],
])("%s", (_, transportTo) => {
  const headers = () => ({ authorization: `Bearer ${server.user("ada")}` });

  test("the URL of a token is the one under which the caller reached this server", async () => {
    for (const host of ["127.0.0.1", "localhost"]) {
      const baseUrl = `http://${host}:${port}`;
      const client = createClient(TokenService, transportTo(baseUrl));
      expect((await client.createSessionTokens({}, { headers: headers() })).transcriptionUrl).toBe(baseUrl);
      expect((await client.createTranscriptionToken({}, { headers: headers() })).url).toBe(baseUrl);
    }
  });

  test("no credential is UNAUTHENTICATED, the wrong kind PERMISSION_DENIED", async () => {
    const client = createClient(TokenService, transportTo(`http://127.0.0.1:${port}`));
    const codeOf = async (call: Promise<unknown>) =>
      ConnectError.from(await call.catch((error: unknown) => error)).code;
    expect(await codeOf(client.listApiKeys({}))).toBe(Code.Unauthenticated);
    expect(await codeOf(client.listApiKeys({}, { headers: headers() }))).toBe(Code.PermissionDenied);
  });

  test("a watched interview that its client leaves is no internal error, and its watch ends", async () => {
    const interviewId = randomUUID();
    const now = new Date();
    await server.storage.interviews.create({
      interviewId,
      userId: "ada",
      state: "queued",
      createTime: now,
      updateTime: now,
    });
    const client = createClient(AnalysisService, transportTo(`http://127.0.0.1:${port}`));
    const controller = new AbortController();
    const options = { headers: headers(), signal: controller.signal };
    const watch = (async () => {
      for await (const _ of client.watchInterview({ interviewId }, options)) controller.abort();
    })();
    expect(ConnectError.from(await watch.catch((error: unknown) => error)).code).toBe(Code.Canceled);
    await vi.waitFor(() => {
      expect(gateway.callsInFlight()).toBe(0);
    }, 10_000);
    expect(server.internalErrors).toEqual([]);
  });

  test("a watched interview that outlasts the client's deadline is DEADLINE_EXCEEDED and no internal error", async () => {
    const interviewId = randomUUID();
    const now = new Date();
    await server.storage.interviews.create({
      interviewId,
      userId: "ada",
      state: "queued",
      createTime: now,
      updateTime: now,
    });
    const client = createClient(AnalysisService, transportTo(`http://127.0.0.1:${port}`));
    const watch = (async () => {
      for await (const _ of client.watchInterview({ interviewId }, { headers: headers(), timeoutMs: 700 }));
    })();
    expect(ConnectError.from(await watch.catch((error: unknown) => error)).code).toBe(Code.DeadlineExceeded);
    await vi.waitFor(() => {
      expect(gateway.callsInFlight()).toBe(0);
    }, 10_000);
    expect(server.internalErrors).toEqual([]);
  });
});
