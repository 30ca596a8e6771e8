/** What an endpoint may count on: silence where it is allowed, large messages, a bound on what piles up, and calls of its own. */
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { TranscriptionService } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { Caller } from "../../../src/token/caller.ts";
import { callerKey } from "../../../src/gateway/interceptors/credentials.ts";
import { peerKey } from "../../../src/gateway/adapter/call-context.ts";
import { requestIdKey } from "../../../src/gateway/interceptors/request-id.ts";
import type { ServerSocket } from "../../../src/gateway/websocket/web-socket-endpoint.ts";
import { startEchoGateway } from "../echo-gateway.ts";
import type { EchoGateway } from "../echo-gateway.ts";

let echo: EchoGateway;
const sockets: WebSocket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await echo.close();
});

async function open(path: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${echo.port}${path}`);
  sockets.push(socket);
  await once(socket, "open");
  return socket;
}
const closeCodeOf = async (socket: WebSocket) => ((await once(socket, "close")) as [number])[0];
const serving = (serve: (socket: ServerSocket) => Promise<void>) => ({
  admit: () => Promise.resolve(serve),
});

test("who never says anything is closed, unless the endpoint allows it", async () => {
  const untilClosed = (socket: ServerSocket) =>
    new Promise<void>((resolve) => socket.signal.addEventListener("abort", () => resolve()));
  echo = await startEchoGateway({
    limits: { firstMessageTimeoutMs: 50, sweepEveryMs: 20 },
    webSocketEndpoints: () => ({
      "/speaks": serving(untilClosed),
      "/listens": { ...serving(untilClosed), mayBeSilent: true },
    }),
  });
  const silent = await open("/listens");
  expect(await closeCodeOf(await open("/speaks"))).toBe(1008);
  expect(silent.readyState).toBe(WebSocket.OPEN);
});

test("sockets on which nothing is said take no call's place; with its first message one does, while there are places", async () => {
  echo = await startEchoGateway({
    limits: { maxCallsInFlight: 1 },
    webSocketEndpoints: () => ({
      "/speaks": serving(async ({ messages }) => {
        for await (const _ of messages);
      }),
    }),
  });
  const [first, second] = [await open("/speaks"), await open("/speaks")];
  await open("/speaks");
  expect(echo.gateway.callsInFlight()).toBe(0);
  first.send("hello");
  await expect.poll(() => echo.gateway.callsInFlight()).toBe(1);
  second.send("hello");
  expect(await closeCodeOf(second)).toBe(1013);
  first.close();
  await expect.poll(() => echo.gateway.callsInFlight()).toBe(0);
});

test("a message larger than the bound of unsent bytes arrives whole when nothing else is unsent", async () => {
  echo = await startEchoGateway({
    webSocketEndpoints: () => ({
      "/large": serving((socket) => {
        socket.sendText("x".repeat(4 * 1024 * 1024));
        return Promise.resolve();
      }),
    }),
  });
  const socket = new WebSocket(`ws://127.0.0.1:${echo.port}/large`);
  sockets.push(socket);
  const closed = closeCodeOf(socket);
  const [data] = (await once(socket, "message")) as [Buffer];
  expect(data.length).toBe(4 * 1024 * 1024);
  expect(await closed).toBe(1000);
});

test("what piles up beyond it closes the socket with 1013", async () => {
  echo = await startEchoGateway({
    webSocketEndpoints: () => ({
      "/many": serving(async (socket) => {
        while (!socket.signal.aborted) {
          for (let count = 0; count < 100; count++) socket.sendText("x".repeat(60_000));
          await new Promise((resolve) => setImmediate(resolve));
        }
      }),
    }),
  });
  expect(await closeCodeOf(await open("/many"))).toBe(1013);
});

test("its own calls run through the interceptors, as the caller and from the address of the handshake", async () => {
  const caller: Caller = { kind: "service", apiKeyId: "k", scopes: new Set() };
  const seen: unknown[] = [];
  echo = await startEchoGateway({
    interceptors: [
      (next) => (request) => {
        const { contextValues } = request;
        seen.push([
          contextValues.get(callerKey),
          contextValues.get(peerKey)?.address,
          contextValues.get(requestIdKey),
        ]);
        return next(request);
      },
    ],
    webSocketEndpoints: (calls) => ({
      "/calls": {
        admit: (handshake) =>
          Promise.resolve(async (socket: ServerSocket) => {
            const client = calls(TranscriptionService, { handshake, caller, protocol: "test" });
            const { nextPageToken } = await client.listSessions({ roomName: "echoed" });
            socket.sendText(nextPageToken);
          }),
      },
    }),
  });
  const socket = new WebSocket(`ws://127.0.0.1:${echo.port}/calls`, {
    headers: { "x-request-id": "the-id-of-the-handshake" },
  });
  sockets.push(socket);
  const [data] = (await once(socket, "message")) as [Buffer];
  expect(data.toString("utf8")).toBe("echoed");
  expect(seen).toEqual([[caller, "127.0.0.1", "the-id-of-the-handshake"]]);
});
