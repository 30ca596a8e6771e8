/** Two `authorization` fields in one request, over both versions of HTTP. */
import { connect as connectTcp } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer } from "../e2e/start-test-server.ts";
import { frame, greeting, literal } from "./listener/raw-frames.ts";
import type { TestServer } from "../e2e/start-test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop(0));

const path = "/parley.token.v1.TokenService/ListApiKeys";

async function overHttp1(...credentials: string[]): Promise<string> {
  const { port } = new URL(server.url);
  const socket = connectTcp(Number(port), "127.0.0.1");
  const fields = credentials.map((credential) => `authorization: Bearer ${credential}\r\n`).join("");
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n${fields}content-length: 2\r\n\r\n{}`,
  );
  return text(socket);
}

/** In frames made by hand: no client library sends the field twice. */
async function overHttp2(...credentials: string[]): Promise<string> {
  const { port } = new URL(server.url);
  const socket = connectTcp(Number(port), "127.0.0.1");
  const fields = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "localhost"],
    ["content-type", "application/json"],
    ...credentials.map((credential) => ["authorization", `Bearer ${credential}`]),
  ].map(([name, value]) => literal(name!, value!));
  const endHeaders = 4;
  const endStream = 1;
  socket.write(
    Buffer.concat([
      greeting,
      frame(1, endHeaders, 1, Buffer.concat(fields)),
      frame(0, endStream, 1, Buffer.from("{}")),
    ]),
  );
  let received = "";
  for await (const bytes of socket) {
    received += (bytes as Buffer).toString("latin1");
    if (/\{.*\}/s.test(received)) break; // the body; the connection would stay open
  }
  socket.destroy();
  return received;
}

test.each([
  ["HTTP/1.1", overHttp1],
  ["HTTP/2", overHttp2],
])("over %s one is let in, and two are UNAUTHENTICATED, even when each is good", async (_, call) => {
  expect(await call(server.apiKey)).toContain("apiKeys");
  expect(await call(server.apiKey, server.apiKey)).toContain("unauthenticated");
  expect(await call(server.apiKey, "x")).toContain("unauthenticated");
});
