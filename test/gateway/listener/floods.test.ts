/** Floods over HTTP/2, each written frame by frame. Each ends its connection, and others are served on. */
import { connect as connectHttp2, constants, type ClientHttp2Session } from "node:http2";
import { afterEach, describe, expect, test } from "vitest";
import type { GatewayLimits } from "../../../src/gateway/listener/limits.ts";
import { listSessionsPath, startEchoGateway, transcribePath, type EchoGateway } from "../echo-gateway.ts";
import { closed, grpcClient, grpcList, open, received } from "../raw-clients.ts";
import { frame, greeting, headerBlock, headersFrame, literal } from "./raw-frames.ts";

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

describe("floods over HTTP/2 end their connection, and nobody else's", () => {
  /** Greets, sends `chunk` until the server ends the connection, and checks that others are served. */
  async function flood(chunk: (round: number) => Buffer, reads = true) {
    const socket = open(echo.port);
    socket.write(greeting);
    if (reads) socket.resume();
    const end = closed(socket);
    for (let round = 0; !socket.closed && round < 100_000; round++) {
      const flushed = socket.write(chunk(round));
      if (!flushed) await Promise.race([end, new Promise((resolve) => socket.once("drain", resolve))]);
    }
    await end;
    await expectServed();
    await expect.poll(() => echo.gateway.callsInFlight()).toBe(0);
  }

  test("PING", async () => {
    await start({});
    await flood(() => Buffer.concat(Array.from({ length: 50 }, () => frame(6, 0, 0, Buffer.alloc(8)))));
  });

  test("SETTINGS", async () => {
    await start({});
    await flood(() => Buffer.concat(Array.from({ length: 10 }, () => frame(4, 0, 0))));
  });

  test.each([
    [
      "PING",
      { maxPingsPer10s: 5 },
      frame(6, 0, 0, Buffer.from("pingpong")),
      frame(6, 1, 0, Buffer.from("pingpong")),
    ],
    ["SETTINGS", { maxSettingsPer10s: 5 }, frame(4, 0, 0), frame(4, 1, 0)],
  ] as const)("%s, even when each waits for its answer", async (_name, limits, question, answer) => {
    await start(limits);
    const socket = open(echo.port);
    const greeted = received(socket, frame(4, 1, 0).toString("latin1"));
    socket.write(greeting);
    await greeted;
    const end = closed(socket).then(() => "closed");
    let answered = 0;
    for (;;) {
      const next = received(socket, answer.toString("latin1")).then(() => "answered");
      socket.write(question);
      if ((await Promise.race([end, next])) === "closed") break;
      answered++;
      expect(answered).toBeLessThan(10);
    }
    expect(answered).toBeGreaterThan(2);
    await expectServed();
  });

  test("CONTINUATION without end", async () => {
    await start({});
    const more = frame(
      9,
      0,
      1,
      Buffer.concat(Array.from({ length: 100 }, () => literal("x-filler", "y".repeat(100)))),
    );
    await flood((round) => (round === 0 ? frame(1, 0, 1, headerBlock(transcribePath)) : more));
  });

  test("rapid reset", async () => {
    await start({ streamResetBurst: 50, streamResetPerSecond: 1 });
    const cancel = Buffer.alloc(4);
    cancel.writeUInt32BE(constants.NGHTTP2_CANCEL);
    await flood((round) =>
      Buffer.concat([headersFrame(2 * round + 1, transcribePath), frame(3, 0, 2 * round + 1, cancel)]),
    );
  });

  test("empty DATA frames", async () => {
    await start({});
    await flood((round) => (round === 0 ? headersFrame(1, transcribePath) : frame(0, 0, 1)));
  });

  test("a header list over the limit loses its stream", async () => {
    await start({});
    const session: ClientHttp2Session = connectHttp2(echo.url, { maxSendHeaderBlockLength: 1_000_000 });
    session.on("error", () => undefined);
    const tooMuch = [
      Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`x-${i}`, "y"])),
      { "x-long": "y".repeat(40_000) },
    ];
    for (const headers of tooMuch) {
      const stream = session.request({ ":method": "POST", ":path": listSessionsPath, ...headers });
      let answered = false;
      stream.on("response", () => {
        answered = true;
      });
      stream.on("error", () => undefined);
      stream.end("{}");
      await new Promise((resolve) => stream.once("close", resolve));
      expect(answered).toBe(false);
    }
    session.destroy();
    await expectServed();
  });
});
