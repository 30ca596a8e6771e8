/**
 * Takes WebSocket handshakes on the one port: refuses pages of other origins, unknown paths and bad credentials before the
 * upgrade, hands open sockets to what is spoken at their path, and closes them. Never reads a message.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Logger } from "pino";
import { WebSocketServer } from "ws";
import type { AllowedOrigins } from "../adapter/allowed-origins.ts";
import { isSameOrigin } from "../adapter/allowed-origins.ts";
import { checkTarget } from "../adapter/check-target.ts";
import { HttpRefusal } from "../adapter/http-refusal.ts";
import { requestIdFrom, requestIdHeader } from "../interceptors/request-id.ts";
import type { UpgradeHandler } from "../listener/http1-server.ts";
import type { GatewayLimits } from "../listener/limits.ts";
import type { Sweeper } from "../listener/sweeper.ts";
import { refusalOf, refuseHandshake } from "./refuse-handshake.ts";
import { openServerSocket, type OpenSocket } from "./server-socket.ts";
import {
  closeCodes,
  type Handshake,
  type ServeSocket,
  type WebSocketEndpoint,
} from "./web-socket-endpoint.ts";

/** The subprotocol of RPCs. */
export const rpcSubprotocol = "grpc-websockets";

export interface SocketAcceptorOptions {
  readonly limits: GatewayLimits;
  readonly sweeper: Sweeper;
  readonly allowedOrigins: AllowedOrigins;
  /** Serves sockets of the RPC subprotocol, at whatever path: what is wrong with it is told in the protocol. */
  readonly serveRpc: (socket: OpenSocket, handshake: Handshake) => Promise<void>;
  readonly isRpc: (path: string) => boolean;
  /** By path; spoken without a subprotocol. */
  readonly endpoints: ReadonlyMap<string, WebSocketEndpoint>;
  /** Counts a call in flight until the returned function is called; undefined: there are too many. */
  readonly begin: () => (() => void) | undefined;
  readonly log: Logger;
}

export interface SocketAcceptor {
  readonly onUpgrade: UpgradeHandler;
  /** Takes no new sockets, and closes those on which nothing was said yet. */
  stop(): void;
  /** Closes the sockets of endpoints with 1001; those of RPCs close when their call has ended, with its status. */
  closeEndpoints(): void;
}

const stopping = new ConnectError("the server is stopping", Code.Unavailable);
/** How long a client has to answer a close, in milliseconds. */
const closeTimeoutMs = 5_000;

export function createSocketAcceptor(options: SocketAcceptorOptions): SocketAcceptor {
  const { limits, sweeper, log } = options;
  const sockets = new Map<OpenSocket, { readonly isRpc: boolean }>();
  let isStopping = false;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.socketReadMaxBytes,
    maxFragments: limits.socketMaxFragments,
    maxBufferedChunks: limits.socketMaxChunks,
    closeTimeout: closeTimeoutMs,
    handleProtocols: (offered) => (offered.has(rpcSubprotocol) ? rpcSubprotocol : false),
  } as ConstructorParameters<typeof WebSocketServer>[0]);

  const upgrade = (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    { isRpc, mayBeSilent }: { isRpc: boolean; mayBeSilent: boolean },
  ) =>
    new Promise<OpenSocket>((resolve) => {
      server.handleUpgrade(request, socket, head, (webSocket) => {
        const bytesRead = () => request.socket.bytesRead;
        // An RPC waits until what it has sent is read.
        const maxUnsentBytes = isRpc ? Infinity : limits.socketMaxUnsentBytes;
        const open = openServerSocket(webSocket, {
          limits: mayBeSilent ? { ...limits, firstMessageTimeoutMs: Infinity } : limits,
          sweeper,
          maxUnsentBytes,
          bytesRead,
        });
        sockets.set(open, { isRpc });
        webSocket.once("close", () => sockets.delete(open));
        resolve(open);
      });
    });

  const accept = async (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    requestId: string,
  ): Promise<void> => {
    if (isStopping) throw stopping;
    const isRpc = checkHandshake(request, options);
    const handshake = readHandshake(request, socket, requestId);
    const serve: ServeSocket = isRpc
      ? (open) => options.serveRpc(open as OpenSocket, handshake)
      : await admit(handshake, options);
    if (socket.destroyed) return;
    const mayBeSilent = !isRpc && options.endpoints.get(handshake.path)?.mayBeSilent === true;
    const open = await upgrade(request, socket, head, { isRpc, mayBeSilent });
    let end: (() => void) | undefined;
    const count = () => {
      if (open.signal.aborted) return;
      end = options.begin();
      if (!end)
        open.close(closeCodes.tryAgainLater, "the server has too many calls in flight: try again later");
    };
    // Sockets on which nothing is said take no call's place. An RPC counts itself, once its head is read.
    if (mayBeSilent) count();
    else if (!isRpc) void open.spoken.then(count);
    try {
      await serve(open);
      await open.drained(); // the client has not long to answer a close, and much may be in front of it
      open.close(closeCodes.normal, "");
    } catch (error) {
      if (!open.signal.aborted) log.error({ err: error, path: handshake.path, requestId }, "socket failed");
      open.close(closeCodes.internalError, "internal error");
    } finally {
      end?.();
    }
  };

  return {
    onUpgrade(request, socket, head) {
      const sent = request.headers[requestIdHeader];
      const requestId = requestIdFrom(typeof sent === "string" ? sent : undefined);
      const address = request.socket.remoteAddress ?? "";
      accept(request, socket, head, requestId).catch((reason: unknown) => {
        const refusal = reason instanceof HttpRefusal ? reason : refusalOf(reason);
        const { status } = refusal;
        if (status === 500) log.error({ err: reason, requestId }, "a handshake failed");
        log.info({ httpStatus: status, peer: address, requestId }, "WebSocket refused");
        refuseHandshake(
          socket,
          requestId,
          refusal,
          reason instanceof ConnectError ? reason.metadata : undefined,
        );
      });
    },
    stop() {
      isStopping = true;
      for (const socket of sockets.keys())
        if (socket.isFresh) socket.close(closeCodes.goingAway, stopping.rawMessage);
    },
    closeEndpoints() {
      for (const [socket, { isRpc }] of sockets)
        if (!isRpc) socket.close(closeCodes.goingAway, stopping.rawMessage);
    },
  };
}

/** True when the subprotocol of RPCs is to be spoken. */
function checkHandshake(
  request: IncomingMessage,
  { allowedOrigins, endpoints, isRpc }: SocketAcceptorOptions,
): boolean {
  const target = checkTarget(request);
  if (!target.ok) throw new HttpRefusal(400, Code.InvalidArgument, target.problem);
  const { origin, host } = request.headers;
  if (origin !== undefined && !allowedOrigins.has(origin) && !isSameOrigin(origin, host)) {
    const message = "this page may not call: its origin is not one of ALLOWED_ORIGINS";
    throw new HttpRefusal(403, Code.PermissionDenied, message);
  }
  const offered = request.headers["sec-websocket-protocol"]?.split(",").map((name) => name.trim()) ?? [];
  if (offered.includes(rpcSubprotocol)) return true;
  if (isRpc(target.path)) {
    const message = `an RPC over a WebSocket needs the subprotocol ${rpcSubprotocol}`;
    throw new HttpRefusal(400, Code.InvalidArgument, message);
  }
  if (!endpoints.has(target.path)) {
    throw new HttpRefusal(404, Code.Unimplemented, "no WebSocket is served at this path");
  }
  return false;
}

function readHandshake(request: IncomingMessage, socket: Duplex, requestId: string): Handshake {
  const gone = new AbortController();
  socket.once("close", () => gone.abort(new ConnectError("the client is gone", Code.Canceled)));
  const [path = "", ...query] = (request.url ?? "").split("?");
  const { origin } = request.headers;
  return {
    path,
    query: new URLSearchParams(query.join("?")),
    address: request.socket.remoteAddress ?? "",
    ...(origin !== undefined && { origin }),
    requestId,
    signal: gone.signal,
  };
}

async function admit(
  handshake: Handshake,
  { endpoints, limits }: SocketAcceptorOptions,
): Promise<ServeSocket> {
  const late = AbortSignal.timeout(limits.firstMessageTimeoutMs);
  const admitted = endpoints.get(handshake.path)?.admit(handshake);
  if (!admitted) throw new ConnectError("no WebSocket is served at this path", Code.Unimplemented);
  const over = Promise.withResolvers<never>();
  const end = () => over.reject(new ConnectError("this took too long: try again later", Code.Unavailable));
  late.addEventListener("abort", end);
  return Promise.race([admitted, over.promise]).finally(() => late.removeEventListener("abort", end));
}
