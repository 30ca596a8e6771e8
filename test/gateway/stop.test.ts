/** Stopping: calls in flight finish, idle connections go at once, nothing outlives the grace. */
import { connect as connectHttp2 } from "node:http2";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import * as grpc from "@grpc/grpc-js";
import { expect, test } from "vitest";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "../../gen/ts/grpc/health/v1/health_pb.ts";
import { listSessionsPath, startEchoGateway } from "./echo-gateway.ts";
import {
  audio,
  closed,
  exchange,
  grpcClient,
  grpcList,
  grpcTranscribe,
  open,
  received,
} from "./raw-clients.ts";

test("a call in flight finishes, over gRPC and over HTTP/1.1; nobody new gets in", async () => {
  const echo = await startEchoGateway();
  const client = grpcClient(echo.port);
  const overGrpc = grpcList(client, "wait");
  const overHttp = fetch(echo.url + listSessionsPath, {
    method: "POST",
    body: '{"roomName":"wait"}',
    headers: { "content-type": "application/json" },
  });
  await expect.poll(() => echo.gateway.callsInFlight()).toBe(2);
  const stopped = echo.gateway.stop({ graceMs: 60_000 });
  await expect.poll(() => exchange(echo.port, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n")).toBe("");
  expect(echo.gateway.callsInFlight()).toBe(2);
  echo.release();
  expect((await overGrpc).response?.nextPageToken).toBe("wait");
  expect(await (await overHttp).json()).toEqual({ nextPageToken: "wait" });
  await stopped;
  expect(echo.gateway.connections()).toBe(0);
  expect(echo.gateway.callsInFlight()).toBe(0);
  client.close();
});

test("idle connections of every kind are closed at once", async () => {
  const echo = await startEchoGateway();
  const silent = open(echo.port);
  silent.resume();
  const idle = open(echo.port);
  const answer = received(idle, '"live":true');
  idle.write("GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
  await answer;
  const session = connectHttp2(echo.url);
  await new Promise((resolve) => session.once("remoteSettings", resolve));
  const goaway = new Promise((resolve) => session.once("goaway", resolve));
  await expect.poll(() => echo.gateway.connections()).toBe(3);
  // The grace is longer than the test may run: all of this happens without it.
  await echo.gateway.stop({ graceMs: 600_000 });
  await Promise.all([closed(silent), closed(idle), goaway]);
});

test("a stream that does not end is told UNAVAILABLE after the grace, and then cut", async () => {
  const echo = await startEchoGateway();
  const client = grpcClient(echo.port);
  const stream = grpcTranscribe(client);
  const first = new Promise((resolve) => stream.call.once("data", resolve));
  stream.send(audio(640));
  await first;
  const deaf = open(echo.port);
  deaf.write(
    `POST ${listSessionsPath} HTTP/1.1\r\nHost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n`,
  );
  deaf.resume();
  await expect.poll(() => echo.gateway.callsInFlight()).toBe(2);
  await echo.gateway.stop({ graceMs: 10 });
  expect((await stream.done).status).toMatchObject({
    code: grpc.status.UNAVAILABLE,
    details: "the server is stopping",
  });
  await closed(deaf);
  expect(echo.gateway.connections()).toBe(0);
  client.close();
});

test("the signal cuts the grace short, and stopping twice is stopping once", async () => {
  const echo = await startEchoGateway();
  const call = fetch(echo.url + listSessionsPath, {
    method: "POST",
    body: '{"roomName":"wait"}',
    headers: { "content-type": "application/json" },
  }).catch(() => "cut");
  await echo.waiting;
  const abort = new AbortController();
  const stopped = echo.gateway.stop({ graceMs: 600_000, signal: abort.signal });
  expect(echo.gateway.stop({ graceMs: 0 })).toBe(stopped);
  await expect.poll(() => exchange(echo.port, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n")).toBe("");
  abort.abort();
  await stopped;
  expect(await call).toBe("cut");
});

test("a watcher of health is told NOT_SERVING, and its stream ends in order", async () => {
  const echo = await startEchoGateway();
  const client = createClient(Health, createGrpcTransport({ baseUrl: echo.url }));
  const seen: Status[] = [];
  let stopped: Promise<void> | undefined;
  for await (const { status } of client.watch({})) {
    seen.push(status);
    stopped ??= echo.gateway.stop({ graceMs: 600_000 });
  }
  expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING]);
  await stopped;
});

test("a gateway that never listened can be stopped, and a port that is taken is an error", async () => {
  const first = await startEchoGateway();
  const { createGateway } = await import("../../src/gateway/create-gateway.ts");
  const { pino } = await import("pino");
  const second = createGateway({
    routes: () => undefined,
    interceptors: [],
    health: () => ({ ready: true, dependencies: {} }),
    descriptors: [],
    allowedOrigins: [],
    log: pino({ level: "silent" }),
  });
  await expect(second.listen(first.port, "127.0.0.1")).rejects.toMatchObject({ code: "EADDRINUSE" });
  await second.stop({ graceMs: 600_000 });
  await first.close();
});
