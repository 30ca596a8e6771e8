/** Bytes that no client should send. Each must get its answer or lose its connection, and the server must go on. */
import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listSessionsPath, startEchoGateway, type EchoGateway } from "../echo-gateway.ts";
import { closed, exchange, grpcClient, grpcList, open, received } from "../raw-clients.ts";

let echo: EchoGateway;
beforeAll(async () => {
  echo = await startEchoGateway();
});
afterAll(() => echo.close());

const json = "content-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

async function expectAlive() {
  const response = await fetch(echo.url + listSessionsPath, {
    method: "POST",
    body: '{"room_name":"alive"}',
    headers: { "content-type": "application/json" },
  });
  expect(await response.json()).toEqual({ nextPageToken: "alive" });
  const client = grpcClient(echo.port);
  expect((await grpcList(client, "alive")).response?.nextPageToken).toBe("alive");
  client.close();
}

describe("HTTP/1.1", () => {
  const heads: [string, string][] = [
    ["Host: [", `POST ${listSessionsPath} HTTP/1.1\r\nHost: [\r\n${json}`],
    ["no Host in HTTP/1.1", `POST ${listSessionsPath} HTTP/1.1\r\n${json}`],
    ["no Host in HTTP/1.0", `POST ${listSessionsPath} HTTP/1.0\r\n${json}`],
    ["empty Host", `POST ${listSessionsPath} HTTP/1.1\r\nHost:\r\n${json}`],
    ["two Hosts", `POST ${listSessionsPath} HTTP/1.1\r\nHost: a\r\nHost: b\r\n${json}`],
    ["user information", `POST ${listSessionsPath} HTTP/1.1\r\nHost: me:secret@a\r\n${json}`],
    ["port 99999", `POST ${listSessionsPath} HTTP/1.1\r\nHost: a:99999\r\n${json}`],
    ["Host with a path", `POST ${listSessionsPath} HTTP/1.1\r\nHost: a/b\r\n${json}`],
    ["Host with a space", `POST ${listSessionsPath} HTTP/1.1\r\nHost: a b\r\n${json}`],
    ["Host with bytes beyond ASCII", `POST ${listSessionsPath} HTTP/1.1\r\nHost: \xff\xfe\r\n${json}`],
    ["bad IPv6", `POST ${listSessionsPath} HTTP/1.1\r\nHost: [::1::2]\r\n${json}`],
    ["bad IPv4", `POST ${listSessionsPath} HTTP/1.1\r\nHost: 256.256.256.256\r\n${json}`],
    ["path that is an authority", `POST //[ HTTP/1.1\r\nHost: a\r\n${json}`],
    ["path *", `OPTIONS * HTTP/1.1\r\nHost: a\r\n${json}`],
    ["path of 9 KiB", `POST /${"a".repeat(9 * 1024)} HTTP/1.1\r\nHost: a\r\n${json}`],
    ["no HTTP at all", "\x00\x01\x02 what is this\r\n\r\n"],
    ["a TLS greeting", "\x16\x03\x01\x00\x05hello\r\n\r\n"],
    ["two content lengths", `POST ${listSessionsPath} HTTP/1.1\r\nHost: a\r\ncontent-length: 5\r\n${json}`],
    [
      "length and chunks",
      `POST ${listSessionsPath} HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n${json}`,
    ],
    ["PRI, but not the preface", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"],
  ];
  test.each(heads)("%s is answered 400", async (_name, head) => {
    const answer = await exchange(echo.port, Buffer.from(head, "latin1"));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toContain("secret");
  });

  test("headers over the limit are answered 431", async () => {
    const answer = await exchange(
      echo.port,
      `GET /health HTTP/1.1\r\nHost: a\r\nx: ${"a".repeat(20_000)}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  });

  test("the absolute form of a path is refused, not routed by what it names", async () => {
    expect(await exchange(echo.port, `GET http://b/health HTTP/1.1\r\nHost: a\r\n${json}`)).toMatch(
      /^HTTP\/1\.1 400 /,
    );
  });

  test("a good authority in each form is served", async () => {
    for (const host of ["a", "a.b-c_d:1", "127.0.0.1:3001", "[::1]", "[::1]:3001"]) {
      const answer = await exchange(
        echo.port,
        `POST ${listSessionsPath} HTTP/1.1\r\nHost: ${host}\r\n${json}`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    }
  });

  test("Upgrade: h2c is served as plain HTTP/1.1", async () => {
    const upgrade =
      "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    const socket = open(echo.port);
    const answer = received(socket, '"live":true');
    socket.write(`GET /health HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`);
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  });

  test("Upgrade: websocket at an RPC without the subprotocol is answered 400 with what to do", async () => {
    const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    const answer = await exchange(echo.port, `GET ${listSessionsPath} HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain("an RPC over a WebSocket needs the subprotocol grpc-websockets");
  });
});

describe("HTTP/2", () => {
  async function withSession(use: (session: ClientHttp2Session) => Promise<void>) {
    const session = connectHttp2(echo.url);
    session.on("error", () => undefined);
    try {
      await use(session);
    } finally {
      session.destroy();
    }
  }
  const call = (session: ClientHttp2Session, headers: Record<string, string>) =>
    new Promise<(IncomingHttpHeaders & IncomingHttpStatusHeader) | "reset">((resolve) => {
      const stream = session.request({ ":method": "POST", ":path": listSessionsPath, ...headers });
      stream.on("response", resolve);
      stream.on("error", () => undefined);
      stream.on("close", () => {
        resolve("reset");
      });
      stream.resume();
      stream.end("{}");
    });

  test.each(["[", "me:secret@a", "a b", "a:99999", "a/b", "[::1::2]", "256.256.256.256", "\xff"])(
    ":authority %j is refused, and the session lives",
    async (authority) => {
      await withSession(async (session) => {
        const answer = await call(session, { ":authority": authority, "content-type": "application/json" });
        expect(answer === "reset" || answer[":status"] === 400).toBe(true);
        expect(await call(session, { "content-type": "application/json" })).toMatchObject({ ":status": 200 });
      });
    },
  );

  test(":authority [ is answered 400, and a gRPC client gets a status", async () => {
    await withSession(async (session) => {
      expect(await call(session, { ":authority": "[" })).toMatchObject({ ":status": 400 });
      const answer = await call(session, { ":authority": "[", "content-type": "application/grpc" });
      expect(answer).toMatchObject({ ":status": 200, "grpc-status": "3" });
    });
  });

  test.each(["//[", "*", "http://b/c", "/a b"])(":path %j is refused", async (path) => {
    await withSession(async (session) => {
      const answer = await call(session, { ":path": path });
      expect(answer === "reset" || answer[":status"] === 400).toBe(true);
    });
  });

  test("a preface with nonsense after it ends that connection only", async () => {
    const socket = open(echo.port);
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\xff".repeat(64));
    socket.resume();
    await closed(socket);
  });
});

test("connections that end in the middle of anything do no harm", async () => {
  const whole = Buffer.from(
    `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`.concat(`POST ${listSessionsPath} HTTP/1.1\r\nHost: a\r\n${json}`),
  );
  for (let length = 0; length < whole.length; length += 3) {
    const socket = open(echo.port);
    socket.write(whole.subarray(0, length));
    if (length % 2 === 0) socket.end();
    else socket.resetAndDestroy();
    socket.resume();
    await closed(socket);
  }
  await expectAlive();
});

test("a protocol that arrives one byte at a time is known all the same", async () => {
  const socket = open(echo.port);
  const answer = received(socket, '"live":true');
  for (const byte of Buffer.from("GET /health HTTP/1.1\r\nHost: a\r\n\r\n")) {
    await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
  }
  expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
  socket.destroy();

  // The preface, an empty SETTINGS frame, and a PING that is answered.
  const http2 = open(echo.port);
  const pong = received(http2, "pingpong");
  const ping = "\x00\x00\x08\x06\x00\x00\x00\x00\x00pingpong";
  for (const byte of Buffer.from(
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00" + ping,
    "latin1",
  )) {
    await new Promise((resolve) => http2.write(Buffer.of(byte), resolve));
  }
  await pong;
  http2.destroy();
});

test("after all of this, normal calls work and nothing is left in flight", async () => {
  await expectAlive();
  await expect.poll(() => echo.gateway.callsInFlight()).toBe(0);
});
