/** Connect-ES over WebSockets, with the WebSocket of Node (which is that of browsers) and with the library `ws`. */
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket as WsWebSocket, WebSocketServer } from "ws";
import { RetryInfoSchema } from "../../../gen/ts/google/rpc/error_details_pb.ts";
import { createWebSocketTransport } from "../../../src/client/index.ts";
import type { WebSocketConstructor } from "../../../src/client/index.ts";
import { startKindsGateway, type KindsGateway } from "../../gateway/websocket/kinds-gateway.ts";
import { kindsClient, texts } from "../../gateway/websocket/kinds-service.ts";

let server: KindsGateway;
beforeAll(async () => {
  server = await startKindsGateway();
});
afterAll(() => server.close());

const failure = async (call: Promise<unknown>): Promise<ConnectError> =>
  ConnectError.from(
    await call.then(
      () => new Error("it did not fail"),
      (error: unknown) => error,
    ),
  );

async function all(answers: AsyncIterable<{ value: string }>): Promise<string[]> {
  const values: string[] = [];
  for await (const { value } of answers) values.push(value);
  return values;
}

describe.each([
  ["Node's WebSocket", globalThis.WebSocket as WebSocketConstructor],
  ["the library ws", WsWebSocket as unknown as WebSocketConstructor],
])("with %s", (_name, webSocket) => {
  const transport = (options = {}) =>
    createWebSocketTransport({ baseUrl: server.url, webSocket, ...options });
  const client = () => kindsClient(transport());

  test("one message is answered by one", async () => {
    expect((await client().unary({ value: "blue" })).value).toBe("blue");
    expect((await client().unary({ value: "protocol" })).value).toBe("grpc-websockets");
  });

  test("one message is answered by many", async () => {
    expect(await all(client().server({ value: "red green blue" }))).toEqual(["red", "green", "blue"]);
  });

  test("many messages are answered by one", async () => {
    expect((await client().client(texts("red", "green", "blue"))).value).toBe("red green blue");
  });

  test("both sides talk in turns over one call, which neither has ended", async () => {
    const heard: string[] = [];
    const heardNo = Array.from({ length: 4 }, () => Promise.withResolvers<string>());
    async function* questions() {
      yield { value: "first" };
      for (const { promise } of heardNo.slice(0, 3)) yield { value: `after ${await promise}` };
    }
    for await (const { value } of client().bidi(questions())) {
      heardNo[heard.length]?.resolve(value);
      heard.push(value);
    }
    expect(heard).toEqual(["first", "after first", "after after first", "after after after first"]);
  });

  test("metadata goes both ways, bytes in it too", async () => {
    const header = Promise.withResolvers<Headers>();
    const trailer = Promise.withResolvers<Headers>();
    const answer = await client().unary(
      { value: "metadata" },
      { headers: { "x-sent": "a: b, c" }, onHeader: header.resolve, onTrailer: trailer.resolve },
    );
    expect(answer.value).toBe("metadata");
    expect((await header.promise).get("x-header")).toBe("a: b, c");
    expect((await header.promise).get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect((await trailer.promise).get("x-trailer")).toBe("last");
    expect((await trailer.promise).get("x-bytes-bin")).toBe("AAEC");
  });

  test("metadata that is not ASCII is refused before anything is sent", async () => {
    const error = await failure(client().unary({ value: "x" }, { headers: { "x-name": "Zoë" } }));
    expect(error).toMatchObject({ code: Code.InvalidArgument });
    expect(error.rawMessage).toContain("-bin");
  });

  test.each(["unary", "server", "client", "bidi"] as const)(
    "an error of a %s call has its code, words, metadata and details",
    async (kind) => {
      const calls = {
        unary: () => client().unary({ value: "fail" }),
        server: () => all(client().server({ value: "fail" })),
        client: () => client().client(texts("fail")),
        bidi: () => all(client().bidi(texts("fail"))),
      };
      const error = await failure(calls[kind]());
      expect(error).toMatchObject({ code: Code.ResourceExhausted, rawMessage: "too many; wait: 7 s" });
      expect(error.metadata.get("x-why")).toBe("too-many");
      expect(error.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds).toBe(7n);
    },
  );

  test("what was answered before an error is not lost", async () => {
    const heard: string[] = [];
    const call = async () => {
      for await (const { value } of client().server({ value: "red green fail" })) heard.push(value);
    };
    expect((await failure(call())).code).toBe(Code.ResourceExhausted);
    expect(heard).toEqual(["red", "green"]);
  });

  test("a deadline ends the call on both sides", async () => {
    const before = server.aborted.length;
    expect((await failure(client().unary({ value: "wait" }, { timeoutMs: 100 }))).code).toBe(
      Code.DeadlineExceeded,
    );
    await expect.poll(() => server.aborted.length).toBe(before + 1);
    const withDefault = kindsClient(transport({ defaultTimeoutMs: 100 }));
    expect((await failure(withDefault.unary({ value: "wait" }))).code).toBe(Code.DeadlineExceeded);
    await expect.poll(() => server.aborted.length).toBe(before + 2);
  });

  test("a cancellation reaches the server as one, before and in the middle of the answers", async () => {
    const before = server.aborted.length;
    const abort = new AbortController();
    const call = failure(client().unary({ value: "wait" }, { signal: abort.signal }));
    await expect.poll(() => server.gateway.callsInFlight()).toBe(1);
    abort.abort();
    expect((await call).code).toBe(Code.Canceled);
    await expect.poll(() => server.aborted.length).toBe(before + 1);
    expect(server.aborted.at(-1)).toBe(String(Code.Canceled));

    const early = new AbortController();
    early.abort();
    expect((await failure(client().unary({ value: "x" }, { signal: early.signal }))).code).toBe(
      Code.Canceled,
    );

    for await (const { value } of client().server({ value: "flood" })) {
      expect(value).toHaveLength(4096);
      break; // leaving the loop is a cancellation too
    }
    await expect.poll(() => server.gateway.callsInFlight()).toBe(0);
  });

  test("messages of hundreds of kilobytes go through in pieces", async () => {
    const value = "a long answer ".repeat(50_000);
    expect((await client().unary({ value })).value).toBe(value);
  });

  test("a message that is larger than the server takes is RESOURCE_EXHAUSTED", async () => {
    const value = "x".repeat(1024 * 1024 + 100);
    const large = kindsClient(transport({ writeMaxBytes: 2 * 1024 * 1024 }));
    expect((await failure(large.unary({ value }))).code).toBe(Code.ResourceExhausted);
    // In a stream the limit is that of a chunk of audio.
    expect((await failure(all(client().bidi(texts("y".repeat(70_000)))))).code).toBe(Code.ResourceExhausted);
  });

  test("what makes the requests may fail, and the call fails with that", async () => {
    async function* broken() {
      yield { value: "red" };
      throw new ConnectError("no more audio", Code.DataLoss);
    }
    const error = await failure(all(client().bidi(broken())));
    expect(error).toMatchObject({ code: Code.DataLoss });
    await expect.poll(() => server.gateway.callsInFlight()).toBe(0);
  });

  test("nobody at the address is UNAVAILABLE", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, "close");
    const nobody = kindsClient(createWebSocketTransport({ baseUrl: `http://127.0.0.1:${port}`, webSocket }));
    expect((await failure(nobody.unary({ value: "x" }))).code).toBe(Code.Unavailable);
  });

  test("a path that is no RPC is UNIMPLEMENTED", async () => {
    const elsewhere = kindsClient(createWebSocketTransport({ baseUrl: `${server.url}/prefix`, webSocket }));
    expect((await failure(elsewhere.unary({ value: "x" }))).code).toBe(Code.Unimplemented);
  });
});

describe("a server that is not as it should be", () => {
  const behaviours = {
    "closes at once": [Code.Unavailable, (socket: WsWebSocket) => socket.close(1000)],
    "is cut off in the middle": [
      Code.Unavailable,
      (socket: WsWebSocket) => {
        socket.send(Buffer.from([0x80, 0, 0, 0, 2, 0x61]));
        socket.terminate();
      },
    ],
    "sends text": [Code.Internal, (socket: WsWebSocket) => socket.send("hello")],
    "begins with data": [Code.Internal, (socket: WsWebSocket) => socket.send(Buffer.from([0, 0, 0, 0, 0]))],
    restarts: [Code.Unavailable, (socket: WsWebSocket) => socket.close(1012)],
    fails: [Code.Internal, (socket: WsWebSocket) => socket.close(1011)],
    "says that a message was too large": [
      Code.ResourceExhausted,
      (socket: WsWebSocket) => socket.close(1009),
    ],
  } as const;

  test.each(Object.keys(behaviours) as (keyof typeof behaviours)[])("%s", async (name) => {
    const [code, behave] = behaviours[name];
    const broken = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(broken, "listening");
    broken.on("connection", (socket) => socket.once("message", () => behave(socket)));
    const { port } = broken.address() as AddressInfo;
    const client = kindsClient(createWebSocketTransport({ baseUrl: `http://127.0.0.1:${port}` }));
    expect((await failure(client.unary({ value: "x" }))).code).toBe(code);
    for (const socket of broken.clients) socket.terminate();
    broken.close();
  });

  test("sends headers and the first message as one, and is cut in odd places", async () => {
    const header = Buffer.from("content-type: application/grpc-web+proto\r\n");
    const message = Buffer.from([0x0a, 3, ...Buffer.from("red")]);
    const trailer = Buffer.from("grpc-status: 0\r\n");
    const frame = (flag: number, payload: Buffer) => {
      const prefix = Buffer.alloc(5);
      prefix[0] = flag;
      prefix.writeUInt32BE(payload.length, 1);
      return Buffer.concat([prefix, payload]);
    };
    const answer = Buffer.concat([frame(0x80, header), frame(0, message), frame(0x80, trailer)]);
    const odd = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(odd, "listening");
    let pieceBytes = 1;
    odd.on("connection", (socket) =>
      socket.once("message", () => {
        for (let at = 0; at < answer.length; at += pieceBytes)
          socket.send(answer.subarray(at, at + pieceBytes));
      }),
    );
    const { port } = odd.address() as AddressInfo;
    const client = kindsClient(createWebSocketTransport({ baseUrl: `http://127.0.0.1:${port}` }));
    for (pieceBytes of [1, 3, 7, 60, answer.length]) {
      // The server never closes: the trailers are the end.
      expect((await client.unary({ value: "x" })).value).toBe("red");
    }
    for (const socket of odd.clients) socket.terminate();
    odd.close();
  });
});

test("a server that stops tells calls that they are UNAVAILABLE", async () => {
  const stopped = await startKindsGateway();
  const client = kindsClient(createWebSocketTransport({ baseUrl: stopped.url }));
  const call = failure(client.unary({ value: "wait" }));
  await expect.poll(() => stopped.gateway.callsInFlight()).toBe(1);
  await stopped.close();
  expect(await call).toMatchObject({ code: Code.Unavailable, rawMessage: "the server is stopping" });
});
