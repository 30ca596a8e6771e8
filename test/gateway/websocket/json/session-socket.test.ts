/** What the old JSON WebSocket does to a server and to slow clients, over real sockets; the RPCs behind it are scripted. */
import { once } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { TranscribeResponseSchema } from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { systemClock } from "../../../../src/clock.ts";
import type { InProcessCalls } from "../../../../src/gateway/websocket/in-process-calls.ts";
import { sessionSocket } from "../../../../src/gateway/websocket/json/session-socket.ts";
import type { ParticipantCaller } from "../../../../src/token/caller.ts";
import { startEchoGateway } from "../../echo-gateway.ts";
import type { EchoGateway } from "../../echo-gateway.ts";
import { openOldClient } from "../../../e2e/old-client.ts";
import type { OldClient } from "../../../e2e/old-client.ts";

let echo: EchoGateway;
let client: OldClient;
afterEach(async () => {
  client.socket.terminate();
  await echo.close();
});

const caller: ParticipantCaller = {
  kind: "participant",
  userId: "ann",
  roomName: "r1",
  participantIdentity: "ann",
  userType: "host",
  tokenId: "t1",
  issueTime: new Date(),
  expireTime: new Date(Date.now() + 600_000),
};

/** `rpcs` in place of TranscriptionService's. */
async function openWith(rpcs: object): Promise<void> {
  echo = await startEchoGateway({
    webSocketEndpoints: () => ({
      "/": sessionSocket({
        calls: (() => rpcs) as unknown as InProcessCalls,
        clock: systemClock,
        verify: () => caller,
        rates: { check: () => undefined, count: () => undefined },
        onRefused: () => undefined,
      }),
    }),
  });
  client = await openOldClient(echo.url, "/?token=t");
  client.say({ action: "start" });
  await client.next("started");
}

test("a summary that is larger than what may be unsent is no reason to call the client slow", async () => {
  const transcript = "word ".repeat(3_000_000);
  await openWith({
    async *transcribe(requests: AsyncIterable<unknown>) {
      for await (const _ of requests) break;
      yield create(TranscribeResponseSchema, { event: { case: "sessionSummary", value: { transcript } } });
    },
  });
  client.socket.send(new Uint8Array(2));
  expect(await client.closed).toEqual({ code: 1000, reason: "" });
  expect(client.messages.map(({ type }) => type)).toEqual(["started", "sessionSummary", "stopped"]);
});

test("a watch that fails before there is audio ends the socket with its reason", async () => {
  await openWith({
    async *watchSession() {
      throw new ConnectError("the token expired", Code.Unauthenticated);
    },
  });
  expect(await client.closed).toEqual({ code: 4401, reason: "the token expired" });
  expect(client.messages.at(-1)).toMatchObject({ type: "error", code: "unauthenticated" });
});

test("messages without audio leave nothing behind, however many come", async () => {
  await openWith({
    async *watchSession(_: unknown, { signal }: { signal: AbortSignal }) {
      await once(signal, "abort");
      yield* [];
    },
  });
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const answered = async () => {
    client.socket.ping();
    await once(client.socket, "pong");
  };
  const empty = new Uint8Array(0);
  const sendMany = async () => {
    for (let round = 0; round < 3; round++) {
      for (let count = 0; count < 20_000; count++) client.socket.send(empty);
      await answered();
    }
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await sendMany();
  const after = await sendMany();
  expect(after - before).toBeLessThan(10 * 1024 ** 2);
  expect(client.socket.readyState).toBe(WebSocket.OPEN);
});
