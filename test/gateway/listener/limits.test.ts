/**
 * What one client can take, and that it cannot take more: sizes, counts and times, over real sockets with small
 * limits. After each, others are served.
 */
import { connect as connectHttp2, type IncomingHttpHeaders } from "node:http2";
import { gzipSync } from "node:zlib";
import * as grpc from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import { frame, greeting, headersFrame } from "./raw-frames.ts";
import type { GatewayLimits } from "../../../src/gateway/listener/limits.ts";
import { listSessionsPath, startEchoGateway, transcribePath, type EchoGateway } from "../echo-gateway.ts";
import {
  audio,
  closed,
  exchange,
  grpcClient,
  grpcList,
  grpcTranscribe,
  open,
  received,
} from "../raw-clients.ts";

let echo: EchoGateway;
afterEach(() => echo.close());
const start = async (limits: Partial<GatewayLimits>) => {
  echo = await startEchoGateway({ limits: { sweepEveryMs: 20, ...limits } });
};

async function expectServed() {
  const client = grpcClient(echo.port);
  expect((await grpcList(client, "alive")).response?.nextPageToken).toBe("alive");
  client.close();
}

function post(body: string | Buffer, headers: Record<string, string> = {}) {
  return fetch(echo.url + listSessionsPath, {
    method: "POST",
    body: new Uint8Array(Buffer.from(body)),
    headers: { "content-type": "application/json", ...headers },
  });
}

describe("sizes", () => {
  test("a unary message over its limit is RESOURCE_EXHAUSTED, over gRPC and over HTTP", async () => {
    await start({ unaryReadMaxBytes: 10_000 });
    const client = grpcClient(echo.port);
    expect((await grpcList(client, "x".repeat(10_001))).status.code).toBe(grpc.status.RESOURCE_EXHAUSTED);
    expect((await grpcList(client, "x".repeat(9000))).status.code).toBe(grpc.status.OK);
    client.close();
    const response = await post(JSON.stringify({ roomName: "x".repeat(10_001) }));
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({ code: "resource_exhausted" });
    await expect.poll(() => echo.gateway.callsInFlight()).toBe(0);
  });

  test("an audio chunk of 64 KiB passes, one over the limit ends the stream", async () => {
    await start({});
    const client = grpcClient(echo.port);
    const good = grpcTranscribe(client);
    good.send(audio(65_536));
    good.call.end();
    expect((await good.done).status.code).toBe(grpc.status.OK);
    const bad = grpcTranscribe(client);
    bad.send(audio(67_000));
    expect((await bad.done).status.code).toBe(grpc.status.RESOURCE_EXHAUSTED);
    client.close();
  });

  test("a method's own limit goes before that of its kind", async () => {
    await start({ methodReadMaxBytes: { "parley.transcription.v1.TranscriptionService/ListSessions": 100 } });
    expect((await post(JSON.stringify({ roomName: "x".repeat(200) }))).status).toBe(429);
  });

  test("a gzip bomb is stopped at the limit, in each protocol", async () => {
    await start({});
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, " "));
    expect(bomb.length).toBeLessThan(1024 * 1024);
    const before = process.memoryUsage().rss;
    const response = await post(bomb, { "content-encoding": "gzip" });
    expect(response.status).toBe(429);
    const frame = Buffer.concat([Buffer.of(1, 0, 0, 0, 0), bomb]);
    frame.writeUInt32BE(bomb.length, 1);
    const web = await post(frame, { "content-type": "application/grpc-web+proto", "grpc-encoding": "gzip" });
    expect(await web.text()).toContain("grpc-status: 8");
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
    const small = await post(gzipSync('{"roomName":"small"}'), { "content-encoding": "gzip" });
    expect(await small.json()).toEqual({ nextPageToken: "small" });
  });

  test("JSON that nests 100,000 deep is an answer, not an end", async () => {
    await start({});
    const deep = await post(`{"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`);
    expect([200, 400]).toContain(deep.status);
    await expectServed();
  });

  test("a deadline of years is shortened, not refused and not at once", async () => {
    await start({});
    for (const [name, value] of [
      ["connect-timeout-ms", "9999999999"],
      ["grpc-timeout", "99999999H"],
    ] as const) {
      const grpcWeb = name === "grpc-timeout";
      const response = await post(grpcWeb ? Buffer.alloc(5) : "{}", {
        [name]: value,
        ...(grpcWeb ? { "content-type": "application/grpc-web+proto" } : {}),
      });
      expect(response.status).toBe(200);
      if (grpcWeb) expect(await response.text()).toContain("grpc-status: 0");
    }
  });
});

describe("times", () => {
  test("a connection that says nothing, or part of a greeting, is closed", async () => {
    await start({ firstBytesTimeoutMs: 100 });
    for (const bytes of ["", "PRI * HT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]) {
      const socket = open(echo.port);
      socket.write(bytes);
      socket.resume();
      await closed(socket);
    }
    await expectServed();
  });

  test("headers that never end are answered 408", async () => {
    await start({ headersTimeoutMs: 100, bodyTimeoutMs: 200 });
    expect(await exchange(echo.port, "GET /health HTTP/1.1\r\nHost: a\r\nx-slow: ")).toMatch(
      /^HTTP\/1\.1 408 /,
    );
  });

  test("a unary body that never ends loses its stream, and only that", async () => {
    await start({ headersTimeoutMs: 100, bodyTimeoutMs: 200 });
    const head = `POST ${listSessionsPath} HTTP/1.1\r\nHost: a\r\ncontent-type: application/json\r\n`;
    await exchange(echo.port, `${head}content-length: 10\r\n\r\n{`);
    const session = connectHttp2(echo.url);
    const stream = session.request({
      ":method": "POST",
      ":path": listSessionsPath,
      "content-type": "application/json",
    });
    stream.on("error", () => undefined);
    stream.write("{");
    await new Promise((resolve) => stream.once("close", resolve));
    expect(session.closed).toBe(false);
    await expect.poll(() => echo.gateway.callsInFlight()).toBe(0);
    session.destroy();
  });

  test("a stream that has its answer is closed, though its client never ends it", async () => {
    await start({});
    const session = connectHttp2(echo.url);
    const stream = session.request({
      ":method": "POST",
      ":path": transcribePath,
      "content-type": "application/grpc",
    });
    stream.on("error", () => undefined);
    stream.resume();
    const status = new Promise((resolve) => {
      stream.on("trailers", (trailers: IncomingHttpHeaders) => {
        resolve(trailers["grpc-status"]);
      });
    });
    // A StreamControl, which the handler refuses.
    stream.write(Buffer.from([0, 0, 0, 0, 2, 0x1a, 0]));
    expect(await status).toBe("3");
    await expect.poll(() => echo.gateway.callsInFlight()).toBe(0);
    session.destroy();
  });

  test("an idle kept-alive connection and an idle session are closed", async () => {
    await start({ keepAliveTimeoutMs: 50, sessionIdleMs: 50 });
    const socket = open(echo.port);
    const answer = received(socket, '"live":true');
    socket.write("GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    await answer;
    await closed(socket);
    const session = connectHttp2(echo.url);
    await new Promise((resolve) => session.once("close", resolve));
  });

  test("a session whose peer does not answer a ping is ended, with its streams", async () => {
    await start({ pingAfterMs: 50, pingTimeoutMs: 50 });
    const socket = open(echo.port);
    // Preface, SETTINGS, and the HEADERS of a Transcribe call, by a peer that never reads or answers afterwards.
    socket.write(Buffer.concat([greeting, headersFrame(1, transcribePath)]));
    socket.resume();
    await closed(socket);
    await expect.poll(() => echo.gateway.callsInFlight()).toBe(0);
  });

  test("a peer from which bytes still come is not gone, whatever becomes of its pings", async () => {
    await start({ pingAfterMs: 300, pingTimeoutMs: 300 });
    const socket = open(echo.port);
    socket.write(Buffer.concat([greeting, headersFrame(1, transcribePath)]));
    socket.resume();
    let isClosed = false;
    const gone = closed(socket).then(() => (isClosed = true));
    const windowUpdate = frame(8, 0, 0, Buffer.of(0, 0, 0, 1));
    for (let times = 0; times < 40; times++) {
      socket.write(windowUpdate);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(isClosed).toBe(false);
    expect(echo.gateway.callsInFlight()).toBe(1);
    await gone; // once nothing comes any more
    await expect.poll(() => echo.gateway.callsInFlight()).toBe(0);
  });

  test("a peer that is silent but answers pings is kept", async () => {
    await start({ pingAfterMs: 50, pingTimeoutMs: 50 });
    const session = connectHttp2(echo.url);
    const pings = Promise.withResolvers<undefined>();
    let count = 0;
    session.on("ping", () => {
      if (++count === 5) pings.resolve(undefined);
    });
    const stream = session.request({
      ":method": "POST",
      ":path": transcribePath,
      "content-type": "application/grpc",
    });
    stream.on("error", () => undefined);
    await pings.promise;
    expect(session.destroyed).toBe(false);
    expect(echo.gateway.callsInFlight()).toBe(1);
    session.destroy();
  });

  test("a reader that stops reading loses its stream; memory and the other streams are safe", async () => {
    await start({ writeStallMs: 200 });
    const session = connectHttp2(echo.url);
    const stalled = session.request({
      ":method": "POST",
      ":path": transcribePath,
      "content-type": "application/grpc",
    });
    stalled.on("error", () => undefined);
    // StreamConfig { room_name: "flood" } in TranscribeRequest, in one gRPC frame.
    stalled.write(Buffer.from([0, 0, 0, 0, 9, 0x0a, 7, 0x0a, 5, ...Buffer.from("flood")]));
    stalled.pause();
    const gone = new Promise((resolve) => stalled.once("close", resolve));
    await expect.poll(() => echo.flooded()).toBeGreaterThan(5);
    await expectServed();
    await gone;
    // Flow control let through a window and a little more, not what the handler could have made meanwhile.
    expect(echo.flooded()).toBeLessThan(200);
    await expect.poll(() => echo.gateway.callsInFlight()).toBe(0);
    session.destroy();
  });
});

describe("counts", () => {
  test("a connection over the cap of its address is closed, and the place is free again later", async () => {
    await start({ maxConnectionsPerAddress: 2 });
    const kept = [open(echo.port), open(echo.port)];
    await expect.poll(() => echo.gateway.connections()).toBe(2);
    const refused = open(echo.port);
    refused.resume();
    await closed(refused);
    expect(echo.gateway.connections()).toBe(2);
    for (const socket of kept) socket.destroy();
    await expect.poll(() => echo.gateway.connections()).toBe(0);
    await expectServed();
  });

  test("a call over the cap of calls in flight is told to come back", async () => {
    await start({ maxCallsInFlight: 1 });
    const first = post('{"roomName":"wait"}');
    await echo.waiting;
    const second = await post("{}");
    expect(second.status).toBe(429);
    expect(second.headers.get("retry-after")).toBe("1");
    const client = grpcClient(echo.port);
    expect((await grpcList(client, "")).status.code).toBe(grpc.status.RESOURCE_EXHAUSTED);
    client.close();
    // Whoever asks for health is answered even then.
    expect((await fetch(`${echo.url}/health`)).status).toBe(200);
    echo.release();
    expect((await first).status).toBe(200);
  });

  test("streams over the cap of a session are refused or wait", async () => {
    await start({ maxConcurrentStreams: 5 });
    const session = connectHttp2(echo.url);
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    expect(session.remoteSettings.maxConcurrentStreams).toBe(5);
    session.destroy();
  });
});
