/**
 * The one port: accepts connections, finds out what each speaks (first bytes in cleartext, ALPN under TLS) and hands it
 * to the HTTP/1.1 or the HTTP/2 side. Owns every connection until it is closed; knows nothing of calls.
 */
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { createConnectionTable } from "./connection-table.ts";
import { detectProtocol } from "./detect-protocol.ts";
import { createHttp1Server, type UpgradeHandler } from "./http1-server.ts";
import { createHttp2Server } from "./http2-server.ts";
import type { GatewayLimits } from "./limits.ts";
import type { Sweeper } from "./sweeper.ts";

export type HttpRequest = IncomingMessage | Http2ServerRequest;
/** `Http2ServerResponse` and `ServerResponse` take the same calls, in types that cannot be called as one. */
export type HttpResponse = ServerResponse | (Http2ServerResponse & Pick<ServerResponse, "writeHead" | "end">);
export type RequestHandler = (request: HttpRequest, response: HttpResponse) => void;

export interface ListenerOptions {
  limits: GatewayLimits;
  sweeper: Sweeper;
  onRequest: RequestHandler;
  onUpgrade: UpgradeHandler;
  tls: { certPem: string; keyPem: string } | undefined;
}

export interface Listener {
  listen(port: number, host: string): Promise<{ port: number }>;
  /** Takes no new connections, closes idle ones, lets busy ones finish. Resolves when all are closed. */
  close(): Promise<void>;
  /** Closes HTTP/1.1 connections that became idle; to be called after each response while closing. */
  closeIdle: () => void;
  /** Cuts what is left. */
  destroy(): void;
  connections(): number;
}

export function createListener(options: ListenerOptions): Listener {
  const { limits, sweeper } = options;
  const table = createConnectionTable({
    max: limits.maxConnections,
    maxPerAddress: limits.maxConnectionsPerAddress,
  });
  const http1 = createHttp1Server(limits, options.onRequest, options.onUpgrade);
  const http2 = createHttp2Server(limits, sweeper, options.onRequest);
  const undecided = new Set<() => void>();

  const serveHttp1 = (socket: Socket) => {
    http1.emit("connection", socket);
    socket.resume();
  };
  const serveHttp2 = (socket: Socket) => {
    // HTTP/2 ends streams, not halves of connections: a peer that ends its half is gone.
    socket.allowHalfOpen = false;
    http2.server.emit("connection", socket);
  };
  const serveCleartext = (socket: Socket) => {
    const acceptedAtMs = performance.now();
    const settle = () => {
      undecided.delete(giveUp);
      unwatch();
      socket.off("close", settle);
    };
    const giveUp = detectProtocol(socket, (protocol) => {
      settle();
      if (protocol === "http2") serveHttp2(socket);
      else serveHttp1(socket);
    });
    const unwatch = sweeper.watch((nowMs) => {
      if (nowMs - acceptedAtMs > limits.firstBytesTimeoutMs) giveUp();
    });
    undecided.add(giveUp);
    socket.once("close", settle);
  };

  const outer = createOuterServer(options, {
    serveCleartext,
    serveSecure: (socket) => {
      if (socket.alpnProtocol === "h2") serveHttp2(socket);
      else serveHttp1(socket);
    },
    admit: (socket) => {
      if (!table.admit(socket)) return false;
      // Finds peers that vanished without a word, below HTTP.
      socket.setKeepAlive(true, 60_000);
      return true;
    },
  });

  return {
    listen: (port, host) => listen(outer, port, host),
    close: () =>
      new Promise((resolve) => {
        // An error here says that the server was not listening: closed is what was asked for.
        outer.close(() => {
          http1.close();
          resolve(table.empty());
        });
        for (const giveUp of undecided) giveUp();
        http1.closeIdleConnections();
        http2.closeSessions();
      }),
    closeIdle: () => {
      http1.closeIdleConnections();
    },
    destroy: () => {
      table.destroyAll();
    },
    connections: () => table.size(),
  };
}

interface SocketRoutes {
  admit: (socket: Socket) => boolean;
  serveCleartext: (socket: Socket) => void;
  serveSecure: (socket: TLSSocket) => void;
}

function createOuterServer(options: ListenerOptions, routes: SocketRoutes): Server {
  // Half-open sockets let a client that has said all it had to say still read the answer.
  const socketOptions = { allowHalfOpen: true, noDelay: true };
  if (options.tls === undefined) {
    return createNetServer(socketOptions, (socket) => {
      if (routes.admit(socket)) routes.serveCleartext(socket);
    });
  }
  const server = createTlsServer(
    {
      ...socketOptions,
      cert: options.tls.certPem,
      key: options.tls.keyPem,
      ALPNProtocols: ["h2", "http/1.1"],
      minVersion: "TLSv1.2",
      handshakeTimeout: options.limits.firstBytesTimeoutMs,
    },
    routes.serveSecure,
  );
  // Before TLS's own listener, so that a connection too many costs no handshake.
  server.prependListener("connection", routes.admit);
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

function listen(server: Server, port: number, host: string): Promise<{ port: number }> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      // Accepting may fail later (no descriptors left): the connection is lost, the server stays.
      server.on("error", () => undefined);
      resolve({ port: (server.address() as AddressInfo).port });
    });
  });
}
