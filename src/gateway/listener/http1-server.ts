/**
 * The HTTP/1.1 side of the port: a server that gets its connections handed over and never listens itself. WebSocket
 * upgrades go where sockets are accepted; every other upgrade, h2c among them, is served as plain HTTP/1.1.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";
import type { RequestHandler } from "./create-listener.ts";
import type { GatewayLimits } from "./limits.ts";

/** Takes over the socket of a WebSocket handshake; `head` is what came after the headers. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export function createHttp1Server(
  limits: GatewayLimits,
  onRequest: RequestHandler,
  onUpgrade: UpgradeHandler,
): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: Math.max(limits.bodyTimeoutMs, limits.headersTimeoutMs),
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: limits.sweepEveryMs,
      requireHostHeader: true,
      insecureHTTPParser: false,
      shouldUpgradeCallback: isWebSocketUpgrade,
    },
    onRequest,
  );
  server.maxHeadersCount = limits.maxHeaderFields;
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // The HTTP server lets go of its own listener here; a reset must not become an uncaught error.
    socket.on("error", () => undefined);
    if (isWebSocketUpgrade(request)) onUpgrade(request, socket, head);
    else socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
  });
  // A server that does not listen enforces its time-outs, and knows its connections, only after this.
  server.emit("listening");
  return server;
}

export function isWebSocketUpgrade(request: IncomingMessage): boolean {
  return request.method === "GET" && /(^|,)\s*websocket\s*(,|$)/i.test(request.headers.upgrade ?? "");
}
