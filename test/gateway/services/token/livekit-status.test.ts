/** What GetLiveKitStatus says of each state that LiveKit can be in. */
import { createServer } from "node:http";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import { liveKitStatusMethods } from "../../../../src/gateway/services/token/livekit-status.ts";
import type { LiveKitSettings } from "../../../../src/token/targets/livekit/issue-token.ts";
import { LiveKitServer } from "../../../../src/token/targets/livekit/livekit-server.ts";
import { freePort } from "../../../e2e/server-process.ts";
import { describeLiveKitServer } from "../../../livekit-server/livekit-server-process.ts";
import { livekit } from "./in-memory-server.ts";

async function statusOf(settings?: LiveKitSettings) {
  const liveKitServer =
    settings && new LiveKitServer(settings, { now: Date.now, onProblem: () => undefined });
  const transport = createRouterTransport((router) => {
    router.service(TokenService, liveKitStatusMethods(liveKitServer ? { liveKitServer } : {}));
  });
  return createClient(TokenService, transport).getLiveKitStatus({});
}

const nothing = { reachable: false, authorized: false, version: "", roomCount: 0, latencyMs: 0 };

test("without a server there is nothing to say", async () => {
  expect(await statusOf()).toMatchObject({ configured: false, ...nothing, url: "" });
});

test("a server that does not answer is configured, and not reachable", async () => {
  const url = `ws://127.0.0.1:${await freePort()}`;
  expect(await statusOf({ ...livekit, url })).toMatchObject({ configured: true, ...nothing, url });
});

test("another server in its place is not reachable either, whatever it answers", async () => {
  const server = createServer((_, response) => response.writeHead(502).end("<html>"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const status = await statusOf({ ...livekit, url: `http://127.0.0.1:${port}` });
  expect(status).toMatchObject({ configured: true, reachable: false, authorized: false, roomCount: 0 });
  server.closeAllConnections();
  server.close();
});

describeLiveKitServer("a LiveKit server", (server) => {
  test("that takes the key tells how many rooms it has", async () => {
    await server().client.createRoom({ name: "room" });
    const { url } = server().settings;
    expect(await statusOf(server().settings)).toMatchObject({
      configured: true,
      reachable: true,
      authorized: true,
      roomCount: 1,
      url,
    });
  });

  test("that does not take the key is reachable, and tells nothing", async () => {
    const status = await statusOf({ ...server().settings, apiSecret: livekit.apiSecret.toUpperCase() });
    expect(status).toMatchObject({ configured: true, reachable: true, authorized: false, roomCount: 0 });
  });
});
