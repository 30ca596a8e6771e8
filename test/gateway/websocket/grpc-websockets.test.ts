/** The protocol byte by byte, and what clients do that no library would: each is told what is wrong, and harms nobody. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { startKindsGateway, type KindsGateway } from "./kinds-gateway.ts";

let server: KindsGateway;
const sockets: WebSocket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await server.close();
});

const unary = "/kinds.v1.KindsService/Unary";
const bidi = "/kinds.v1.KindsService/Bidi";
const head = Buffer.from("content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\n");
const halfClose = Buffer.of(1);

/** A piece of the body: a frame with a StringValue. */
function says(value: string): Buffer {
  const message = Buffer.from(toBinary(StringValueSchema, create(StringValueSchema, { value })));
  const prefix = Buffer.alloc(6);
  prefix.writeUInt32BE(message.length, 2);
  return Buffer.concat([prefix, message]);
}

async function open(path: string, options: { headers?: Record<string, string> } = {}): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, ["grpc-websockets"], options);
  sockets.push(socket);
  await once(socket, "open");
  return socket;
}

interface Heard {
  readonly messages: Buffer[];
  readonly text: string;
  readonly closed: number;
}

function hear(socket: WebSocket): Promise<Heard> {
  const messages: Buffer[] = [];
  socket.on("message", (data: Buffer) => messages.push(data));
  socket.on("error", () => undefined);
  return new Promise((resolve) =>
    socket.on("close", (closed) =>
      resolve({ messages, text: Buffer.concat(messages).toString("latin1"), closed }),
    ),
  );
}

describe("an answer", () => {
  test("is a block of headers, the messages, a block of trailers, each alone, uncompressed, then 1000", async () => {
    server = await startKindsGateway();
    const socket = await open(unary);
    expect(socket.protocol).toBe("grpc-websockets");
    expect(socket.extensions).toBe("");
    const heard = hear(socket);
    socket.send(Buffer.concat([head, Buffer.from("grpc-accept-encoding: gzip\r\n")]));
    socket.send(says("x".repeat(20_000)));
    socket.send(halfClose);
    const { messages, closed } = await heard;
    expect(messages.map((message) => message[0])).toEqual([0x80, 0, 0x80]);
    expect(messages[0]?.toString()).toContain("content-type: application/grpc-web+proto\r\n");
    expect(messages[0]?.toString()).toMatch(/x-request-id: [0-9a-f-]{36}\r\n/);
    expect(messages[0]?.toString()).not.toContain("grpc-status");
    expect(messages[2]?.toString()).toContain("grpc-status: 0\r\n");
    for (const message of messages) expect(message.readUInt32BE(1)).toBe(message.length - 5);
    expect(closed).toBe(1000);
  });

  test("takes the request in any pieces, and skips empty messages", async () => {
    server = await startKindsGateway();
    const socket = await open(unary);
    const heard = hear(socket);
    socket.send(head);
    for (const byte of says("red").subarray(1)) {
      socket.send(Buffer.of(0, byte));
      socket.send(Buffer.alloc(0));
    }
    socket.send(halfClose);
    expect((await heard).text).toContain("red");
  });

  test("keeps a request id of the client's", async () => {
    server = await startKindsGateway();
    const socket = await open(unary);
    const heard = hear(socket);
    socket.send(Buffer.concat([head, Buffer.from("x-request-id: my-own.id_01\r\n")]));
    socket.send(says("red"));
    socket.send(halfClose);
    expect((await heard).text).toContain("x-request-id: my-own.id_01\r\n");
  });
});

describe("a client that does it wrong", () => {
  const status = (text: string) => /grpc-status: ?(\d+)/.exec(text)?.[1];
  const firstMessages: Record<string, Buffer | string> = {
    "begins with text": "content-type: application/grpc-web+proto\r\n",
    "begins with a body": says("red"),
    "sends a line without a colon": Buffer.from("hello\r\n"),
    "sends a name with a space": Buffer.from("a b: c\r\n"),
    "sends a value that is not ASCII": Buffer.from("x-name: Zoë\r\n"),
    "sends another content type": Buffer.from("content-type: application/json\r\n"),
    "sends the text format": Buffer.from("content-type: application/grpc-web-text\r\n"),
    "sends too many fields": Buffer.from("x-a: b\r\n".repeat(101)),
    "sends too long a field": Buffer.from(`x-a: ${"b".repeat(17_000)}\r\n`),
  };
  test.each(Object.keys(firstMessages))("%s: INVALID_ARGUMENT, 1002, and no call", async (name) => {
    server = await startKindsGateway();
    const socket = await open(unary);
    const heard = hear(socket);
    socket.send(firstMessages[name]!);
    const { text, closed } = await heard;
    expect([status(text), closed]).toEqual(["3", 1002]);
    expect(server.lines).toContainEqual(expect.objectContaining({ msg: "call refused" }));
    expect(JSON.stringify(server.lines)).not.toContain("hello");
  });

  test.each([
    ["text in a call", "hello"],
    ["a message of an unknown kind", Buffer.of(7, 1, 2)],
  ])("%s ends the call with INVALID_ARGUMENT", async (_name, message) => {
    server = await startKindsGateway();
    const socket = await open(bidi);
    const heard = hear(socket);
    socket.send(head);
    socket.send(says("red"));
    socket.send(message);
    const { text } = await heard;
    expect(text).toContain("red");
    expect(status(text)).toBe("3");
  });

  test("a path that is no RPC is answered as such, and not logged", async () => {
    server = await startKindsGateway();
    const socket = await open("/my-secret?token=my-secret");
    const heard = hear(socket);
    socket.send(head);
    expect(status((await heard).text)).toBe("12");
    expect(server.lines).toContainEqual(
      expect.objectContaining({ msg: "call refused", method: "unknown", protocol: "grpc-websockets" }),
    );
    expect(JSON.stringify(server.lines)).not.toContain("my-secret");
  });

  test("a message in more frames than anybody needs ends the connection before it is whole", async () => {
    server = await startKindsGateway();
    const [few, many] = [await open(bidi), await open(bidi)];
    const heard = hear(many);
    for (const [socket, frames] of [
      [few, 200],
      [many, 300],
    ] as const)
      for (let frame = 0; frame < frames; frame++) socket.send(Buffer.of(0), { fin: false });
    expect((await heard).closed).toBe(1008);
    expect(few.readyState).toBe(WebSocket.OPEN);
  });

  test("a message over 65 KiB is closed with 1009, and the call hears that it was too large", async () => {
    server = await startKindsGateway();
    const socket = await open(bidi);
    const heard = hear(socket);
    socket.send(head);
    socket.send(says("red"));
    await once(socket, "message");
    socket.send(Buffer.alloc(66 * 1024));
    expect((await heard).closed).toBe(1009);
    await expect.poll(() => server.aborted).toEqual(["8"]);
    expect(server.gateway.callsInFlight()).toBe(0);
  });

  test("one that says nothing is closed after a while, one that stops in the middle too", async () => {
    server = await startKindsGateway({
      limits: { firstMessageTimeoutMs: 50, bodyTimeoutMs: 50, sweepEveryMs: 10 },
    });
    const silent = await hear(await open(unary));
    expect(silent.closed).toBe(1008);
    const socket = await open(unary);
    const heard = hear(socket);
    socket.send(head);
    expect((await heard).closed).toBe(1008);
    expect(server.gateway.callsInFlight()).toBe(0);
  });

  test("one that is gone without a word is noticed by a ping that it does not answer", async () => {
    server = await startKindsGateway({ limits: { pingAfterMs: 30, pingTimeoutMs: 60, sweepEveryMs: 10 } });
    const socket = await open(bidi);
    socket.send(head);
    socket.send(says("red"));
    await once(socket, "message");
    socket.pause(); // answers no ping
    await expect.poll(() => server.aborted).toEqual(["1"]);
    expect(server.gateway.callsInFlight()).toBe(0);
  });

  test("one that answers pings stays, however quiet it is", async () => {
    server = await startKindsGateway({ limits: { pingAfterMs: 20, pingTimeoutMs: 20, sweepEveryMs: 5 } });
    const socket = await open(bidi);
    socket.send(head);
    let pings = 0;
    socket.on("ping", () => pings++);
    await expect.poll(() => pings).toBeGreaterThan(5);
    const heard = hear(socket);
    socket.send(says("still here"));
    socket.send(halfClose);
    expect((await heard).text).toContain("still here");
  });

  test("a flood of pings ends the connection", async () => {
    server = await startKindsGateway({ limits: { maxPingsPer10s: 20 } });
    const socket = await open(bidi);
    const heard = hear(socket);
    socket.send(head);
    for (let ping = 0; ping < 30; ping++) socket.ping();
    expect((await heard).closed).toBe(1006);
  });

  test("one that does not read holds back what is made for it, and is cut off after a while", async () => {
    server = await startKindsGateway({
      limits: { writeStallMs: 300, sweepEveryMs: 20, pingAfterMs: 60_000 },
    });
    const socket = await open("/kinds.v1.KindsService/Server");
    socket.pause();
    socket.send(head);
    socket.send(says("flood"));
    socket.send(halfClose);
    await expect.poll(() => server.flooded()).toBeGreaterThan(0);
    await expect.poll(() => server.gateway.callsInFlight()).toBe(0);
    // What the kernel keeps for both ends is some megabytes; beyond that nothing was made.
    expect(server.flooded() * 4096).toBeLessThan(32 * 1024 * 1024);
  });

  test("one that sends without end is held back when nobody reads it", async () => {
    server = await startKindsGateway({ limits: { pingAfterMs: 50, sweepEveryMs: 10 } });
    const socket = await open(bidi);
    socket.send(head);
    socket.send(says("wait"));
    const piece = Buffer.alloc(60_000);
    for (let i = 0; i < 1000; i++) socket.send(piece);
    await expect.poll(() => server.gateway.callsInFlight()).toBe(1);
    // 60 MB were sent; once no more of them goes out, what the server has not read is still here.
    let before = Infinity;
    const movedBytes = () => Math.abs(before - (before = socket.bufferedAmount));
    await expect.poll(movedBytes, { interval: 100 }).toBeLessThan(1000);
    expect(socket.bufferedAmount).toBeGreaterThan(30 * 1024 * 1024);
    socket.terminate();
    await expect.poll(() => server.gateway.callsInFlight()).toBe(0);
  });
});

describe("a handshake", () => {
  async function exchange(lines: readonly string[]): Promise<string> {
    const socket: Socket = connect(server.port, "127.0.0.1");
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    let answer = "";
    for await (const bytes of socket) {
      answer += (bytes as Buffer).toString("latin1");
      if (answer.includes("\r\n\r\n") && answer.startsWith("HTTP/1.1 101")) break;
    }
    socket.destroy();
    return answer;
  }
  const handshake = (path: string, ...more: string[]) => [
    `GET ${path} HTTP/1.1`,
    "Host: localhost",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ...more,
  ];
  const protocol = "Sec-WebSocket-Protocol: grpc-websockets";

  test("is taken from an allowed origin, the server's own, and no origin; others are 403", async () => {
    server = await startKindsGateway();
    const from = async (...origin: string[]) =>
      (await exchange(handshake(unary, protocol, ...origin))).slice(9, 12);
    expect(await from()).toBe("101");
    expect(await from("Origin: https://app.example.org")).toBe("101");
    expect(await from("Origin: http://localhost")).toBe("101");
    expect(await from("Origin: https://evil.example")).toBe("403");
    expect(await from("Origin: https://app.example.org.evil.example")).toBe("403");
    expect(await from("Origin: null")).toBe("403");
    expect(await from("Origin: http://localhost:1")).toBe("403");
  });

  test("that is refused says why in JSON, with a request id", async () => {
    server = await startKindsGateway();
    const answer = await exchange(handshake("/nothing"));
    expect(answer).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    expect(answer).toMatch(/x-request-id: [0-9a-f-]{36}\r\n/);
    expect(answer).toContain('"message":"no WebSocket is served at this path"');
  });

  test.each([
    ["a malformed path", handshake("//[")],
    ["a path that URLs take for another host", handshake("/\\[?token=x", protocol)],
    ["a malformed host", handshake(unary, protocol).map((line) => line.replace("localhost", "["))],
    ["two hosts", handshake(unary, protocol, "Host: other")],
    ["no key", handshake(unary, protocol).filter((line) => !line.includes("-Key"))],
    ["an old version", handshake(unary, protocol).map((line) => line.replace("13", "7"))],
  ])("with %s is 400 or 426, and the server goes on", async (_name, lines) => {
    server = await startKindsGateway();
    expect(await exchange(lines)).toMatch(/^HTTP\/1\.1 4(00|26) /);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });

  test("offers no compression, whatever the client offers", async () => {
    server = await startKindsGateway();
    const answer = await exchange(
      handshake(unary, protocol, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    expect(answer.toLowerCase()).not.toContain("sec-websocket-extensions");
  });

  test("of a thousand that say nothing leaves the server answering", async () => {
    server = await startKindsGateway();
    const idle = await Promise.all(Array.from({ length: 500 }, () => open(bidi)));
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    expect(server.gateway.callsInFlight()).toBe(0);
    expect(idle).toHaveLength(500);
  });
});

describe("a stop", () => {
  test("closes sockets on which nothing was said at once, and lets calls finish", async () => {
    server = await startKindsGateway();
    const fresh = hear(await open(bidi));
    const socket = await open(bidi);
    const heard = hear(socket);
    socket.send(head);
    socket.send(says("red"));
    await once(socket, "message");
    const stopped = server.gateway.stop({ graceMs: 10_000 });
    expect((await fresh).closed).toBe(1001);
    socket.send(says("blue"));
    socket.send(halfClose);
    const { text } = await heard;
    expect(text).toContain("blue");
    expect(text).toContain("grpc-status: 0");
    await stopped;
  });
});

test("calls over the limit are RESOURCE_EXHAUSTED", async () => {
  server = await startKindsGateway({ limits: { maxCallsInFlight: 1 } });
  const first = await open(bidi);
  first.send(head);
  first.send(says("red"));
  await once(first, "message");
  const second = await open(bidi);
  const heard = hear(second);
  second.send(head);
  expect((await heard).text).toContain("grpc-status: 8");
});
