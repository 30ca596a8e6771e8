/** The same port under TLS: both protocols by ALPN, HTTP/1.1 without it, with a certificate made here. */
import { connect as connectHttp2 } from "node:http2";
import { request as httpsRequest } from "node:https";
import { connect as connectTls } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCertificate } from "../../make-certificate.ts";
import { listSessionsPath, startEchoGateway, transcribePath, type EchoGateway } from "../echo-gateway.ts";
import { closed, exchange, grpcClient, grpcList, open } from "../raw-clients.ts";

const tls = makeCertificate();

describe.skipIf(tls === undefined)("TLS (skipped without openssl)", () => {
  let echo: EchoGateway;
  beforeAll(async () => {
    if (tls !== undefined) echo = await startEchoGateway({ tls, limits: { firstBytesTimeoutMs: 500 } });
  });
  afterAll(() => echo.close());

  test("ALPN h2 serves gRPC and plain requests", async () => {
    const client = grpcClient(echo.port, grpc.credentials.createSsl(Buffer.from(tls?.certPem ?? "")));
    expect((await grpcList(client, "secure")).response?.nextPageToken).toBe("secure");
    client.close();
    const session = connectHttp2(echo.url, { ca: tls?.certPem, servername: "localhost" });
    const stream = session.request({ ":path": "/health" });
    const status = await new Promise((resolve) =>
      stream.on("response", (headers) => {
        resolve(headers[":status"]);
      }),
    );
    expect(status).toBe(200);
    expect(session.alpnProtocol).toBe("h2");
    stream.resume();
    session.close();
  });

  test.each([{ ALPNProtocols: ["http/1.1"] }, {}])("%j serves HTTP/1.1", async (alpn) => {
    const body = await new Promise<string>((resolve, reject) => {
      const request = httpsRequest(
        echo.url + listSessionsPath,
        {
          method: "POST",
          ca: tls?.certPem,
          servername: "localhost",
          headers: { "content-type": "application/json" },
          agent: false,
          ...alpn,
        },
        (response) => {
          response.setEncoding("utf8").on("data", resolve);
        },
      );
      request.on("error", reject);
      request.end('{"roomName":"secure"}');
    });
    expect(JSON.parse(body)).toEqual({ nextPageToken: "secure" });
  });

  test("cleartext, nonsense and silence are closed, and the port lives on", async () => {
    await exchange(echo.port, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    await exchange(echo.port, "\x16\x03\x01\xff\xff" + "\xff".repeat(100));
    const silent = open(echo.port);
    silent.resume();
    await closed(silent);
    const handshaken = connectTls({
      port: echo.port,
      host: "127.0.0.1",
      servername: "localhost",
      ca: tls?.certPem ?? "",
    });
    handshaken.on("error", () => undefined);
    await new Promise((resolve) => handshaken.once("secureConnect", resolve));
    handshaken.destroy();
    const client = grpcClient(echo.port, grpc.credentials.createSsl(Buffer.from(tls?.certPem ?? "")));
    expect((await grpcList(client, "alive")).response?.nextPageToken).toBe("alive");
    client.close();
    await expect.poll(() => echo.gateway.connections(), { timeout: 10_000 }).toBe(0);
  });

  test("a connection over the cap is closed before its handshake", async () => {
    if (tls === undefined) return;
    const other = await startEchoGateway({ tls, limits: { maxConnections: 1 } });
    const kept = open(other.port);
    await expect.poll(() => other.gateway.connections()).toBe(1);
    const refused = connectTls({ port: other.port, host: "127.0.0.1", ca: tls.certPem });
    const outcome = await new Promise((resolve) => {
      refused.on("error", resolve);
      refused.on("secureConnect", () => resolve("secure"));
    });
    expect(outcome).toMatchObject({ code: "ECONNRESET" });
    expect(other.gateway.connections()).toBe(1);
    kept.destroy();
    await other.close();
  });

  test("a secure peer that answers pings is kept", async () => {
    if (tls === undefined) return;
    const other = await startEchoGateway({
      tls,
      limits: { pingAfterMs: 50, pingTimeoutMs: 50, sweepEveryMs: 20 },
    });
    const session = connectHttp2(other.url, { ca: tls.certPem, servername: "localhost" });
    const pinged = new Promise<void>((resolve) => {
      let count = 0;
      session.on("ping", () => {
        if (++count === 5) resolve();
      });
    });
    const stream = session.request({
      ":method": "POST",
      ":path": transcribePath,
      "content-type": "application/grpc",
    });
    stream.on("error", () => undefined);
    await pinged;
    expect(session.destroyed).toBe(false);
    session.destroy();
    await other.close();
  });

  test("stopping sends GOAWAY to secure sessions too", async () => {
    if (tls === undefined) return;
    const other = await startEchoGateway({ tls });
    const session = connectHttp2(other.url, { ca: tls.certPem, servername: "localhost" });
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    const goaway = new Promise((resolve) => session.once("goaway", resolve));
    await other.gateway.stop({ graceMs: 600_000 });
    await goaway;
  });
});
