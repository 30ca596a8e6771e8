/**
 * A Connect router in which every method has the size limits of its kind, however its service was registered. Owns
 * which compression is spoken and how large a message may be; never invokes a handler.
 */
import {
  Code,
  ConnectError,
  createConnectRouter,
  type ConnectRouter,
  type Interceptor,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalHandlerOptions } from "@connectrpc/connect/protocol";
import { compressionGzip } from "@connectrpc/connect-node";
import type { DescMethod } from "@bufbuild/protobuf";
import type { GatewayLimits } from "../listener/limits.ts";
import { reachedKey } from "./call-context.ts";
import { endStreamsWithSignal } from "./end-with-signal.ts";

export interface LimitedRouterOptions {
  limits: GatewayLimits;
  /** Outermost first; those that a service is registered with come after. */
  interceptors: readonly Interceptor[];
  /** Runs after the headers and before a body is read. */
  requestGate: UniversalHandlerOptions["requestGate"] | undefined;
  /** Aborted to end every call. */
  shutdownSignal: AbortSignal;
}

export function createLimitedRouter(options: LimitedRouterOptions): ConnectRouter {
  const inner = createConnectRouter();
  const optionsOf = (method: DescMethod, given: Partial<UniversalHandlerOptions> = {}) => ({
    // Decompression stops at readMaxBytes. Brotli is left out: at its default level it costs more than it saves.
    acceptCompression: [compressionGzip],
    readMaxBytes: readMaxBytes(options.limits, method),
    writeMaxBytes: options.limits.writeMaxBytes,
    maxTimeoutMs: options.limits.maxDeadlineMs,
    shutdownSignal: options.shutdownSignal,
    ...(options.requestGate === undefined ? {} : { requestGate: options.requestGate }),
    ...given,
    interceptors: [markReached, ...options.interceptors, ...(given.interceptors ?? []), endStreamsWithSignal],
  });
  const router: ConnectRouter = {
    handlers: inner.handlers,
    rpc(method, implementation, given) {
      inner.rpc(method, implementation, optionsOf(method, given));
      return router;
    },
    service(service, implementation, given) {
      for (const method of service.methods) {
        const own = (implementation as Record<string, unknown>)[method.localName];
        const bound = typeof own === "function" ? (own.bind(implementation) as never) : unimplemented(method);
        inner.rpc(method, bound, optionsOf(method, given));
      }
      return router;
    },
  };
  return router;
}

/** Handlers by request path. Throws when two services claim one path. */
export function handlersByPath(router: ConnectRouter): ReadonlyMap<string, UniversalHandler> {
  const handlers = new Map<string, UniversalHandler>();
  for (const handler of router.handlers) {
    if (handlers.has(handler.requestPath)) throw new Error(`${handler.requestPath} is registered twice`);
    handlers.set(handler.requestPath, handler);
  }
  return handlers;
}

function readMaxBytes(limits: GatewayLimits, method: DescMethod): number {
  const own = limits.methodReadMaxBytes[`${method.parent.typeName}/${method.name}`];
  if (own !== undefined) return own;
  const takesStream = method.methodKind === "bidi_streaming" || method.methodKind === "client_streaming";
  return takesStream ? limits.streamReadMaxBytes : limits.unaryReadMaxBytes;
}

const markReached: Interceptor = (next) => (request) => {
  request.contextValues.set(reachedKey, true);
  return next(request);
};

function unimplemented(method: DescMethod): never {
  const message = `${method.parent.typeName}.${method.name} is not implemented`;
  return (() => {
    throw new ConnectError(message, Code.Unimplemented);
  }) as never;
}
