/**
 * Carries one call between a WebSocket of the grpc-websockets protocol and its Connect handler, the same that serves
 * gRPC-web over HTTP: implementations, interceptors, limits and deadlines are its. One socket is one call.
 */
import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { Logger } from "pino";
import { peerKey, protocolKey, reachedKey } from "../../adapter/call-context.ts";
import { shortenDeadline } from "../../adapter/serve-rpc.ts";
import { requestIdFrom, requestIdHeader, requestIdKey } from "../../interceptors/request-id.ts";
import type { GatewayLimits } from "../../listener/limits.ts";
import type { Sweeper } from "../../listener/sweeper.ts";
import { closeCodes, type Handshake, type ServerSocket } from "../web-socket-endpoint.ts";
import { readBody } from "./read-body.ts";
import { readHead } from "./read-head.ts";
import { writeAnswer, writeRefusal } from "./write-answer.ts";

export interface GrpcSocketOptions {
  readonly handlers: ReadonlyMap<string, UniversalHandler>;
  readonly limits: GatewayLimits;
  readonly sweeper: Sweeper;
  /** Counts a call in flight until the returned function is called; undefined: there are too many. */
  readonly begin: () => (() => void) | undefined;
  readonly log: Logger;
}

/** Resolves when the call is over and the socket may be closed. */
export async function serveGrpcSocket(
  socket: ServerSocket,
  handshake: Handshake,
  options: GrpcSocketOptions,
): Promise<void> {
  const { address, path } = handshake;
  let { requestId } = handshake;
  let end: (() => void) | undefined;
  try {
    const messages = socket.messages[Symbol.asyncIterator]() as AsyncIterator<never, undefined>;
    const first = await messages.next();
    if (first.done) return;
    const header = readHead(first.value, options.limits);
    requestId = requestIdFrom(header.get(requestIdHeader) ?? requestId);
    const handler = findHandler(path, options);
    end = options.begin();
    if (!end) throw new ConnectError("the server has too many calls in flight", Code.ResourceExhausted);
    shortenDeadline(header, options.limits.maxDeadlineMs);
    const contextValues = createContextValues()
      .set(peerKey, { address, httpVersion: "1.1" })
      .set(requestIdKey, requestId)
      .set(protocolKey, "grpc-websockets");
    const body = watchBody(socket, messages, handler, options);
    const answer = await handler({
      httpVersion: "2", // as far as Connect asks: whether it can stream both ways
      method: "POST",
      url: `http://localhost${path}`,
      header,
      body,
      signal: socket.signal,
      contextValues,
    });
    answer.header?.set(requestIdHeader, requestId);
    await writeAnswer(socket, answer);
    if (!contextValues.get(reachedKey)) logRefused(options, path, address, requestId);
  } catch (error) {
    if (socket.signal.aborted) return;
    if (!(error instanceof ConnectError)) throw error;
    logRefused(options, path, address, requestId);
    writeRefusal(socket, error, requestId);
    if (error.code === Code.InvalidArgument) socket.close(closeCodes.protocolError, "malformed");
  } finally {
    end?.();
  }
}

function findHandler(path: string, { handlers }: GrpcSocketOptions): UniversalHandler {
  const handler = handlers.get(path);
  if (handler) return handler;
  throw new ConnectError("no such RPC: the path is /package.Service/Method", Code.Unimplemented);
}

/** After the half-close the socket is still read, for it must be seen to close. */
function watchBody(
  socket: ServerSocket,
  messages: AsyncIterator<never, undefined>,
  handler: UniversalHandler,
  { limits, sweeper }: GrpcSocketOptions,
): AsyncIterable<Uint8Array> {
  const takesOne = handler.method.methodKind === "unary" || handler.method.methodKind === "server_streaming";
  const beganAtMs = performance.now();
  const unwatch = takesOne
    ? sweeper.watch((nowMs) => {
        if (nowMs - beganAtMs > limits.bodyTimeoutMs)
          socket.close(closeCodes.policyViolation, "the request did not come in time");
      })
    : () => undefined;
  socket.signal.addEventListener("abort", unwatch, { once: true });
  return readBody(messages, () => {
    unwatch();
    void skipRest(messages);
  });
}

async function skipRest(messages: AsyncIterator<unknown>): Promise<void> {
  try {
    while ((await messages.next()).done !== true);
  } catch {
    // The socket is closed, which the call hears from its signal.
  }
}

/** A path that is no RPC is the client's own text, and not for the log. */
function logRefused(
  { handlers, log }: GrpcSocketOptions,
  path: string,
  peer: string,
  requestId: string,
): void {
  const method = handlers.has(path) ? path.slice(1) : "unknown";
  log.info({ method, peer, requestId, protocol: "grpc-websockets" }, "call refused");
}
