/**
 * A Connect router in which every method has the size limits of its kind, however its service was registered. Owns
 * which compression is spoken and how large a message may be; never invokes a handler.
 */
import {
  Code,
  ConnectError,
  createConnectRouter,
  createMethodImplSpec,
  type ConnectRouter,
  type Interceptor,
  type MethodImpl,
  type MethodImplSpec,
} from "@connectrpc/connect";
import {
  validateUniversalHandlerOptions,
  type UniversalHandler,
  type UniversalHandlerOptions,
} from "@connectrpc/connect/protocol";
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

/** An RPC as it is served, for protocols that Connect's router does not know. */
export interface ServedRpc {
  spec: MethodImplSpec;
  options: UniversalHandlerOptions;
}

export interface LimitedRouter extends ConnectRouter {
  readonly rpcs: readonly ServedRpc[];
}

export function createLimitedRouter(options: LimitedRouterOptions): LimitedRouter {
  const inner = createConnectRouter();
  const rpcs: ServedRpc[] = [];
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
  const add = <M extends DescMethod>(
    method: M,
    implementation: MethodImpl<M>,
    given?: Partial<UniversalHandlerOptions>,
  ) => {
    const own = optionsOf(method, given);
    inner.rpc(method, implementation, own);
    rpcs.push({
      spec: createMethodImplSpec(method, implementation),
      options: validateUniversalHandlerOptions(own),
    });
  };
  const router: LimitedRouter = {
    handlers: inner.handlers,
    rpcs,
    rpc(method, implementation, given) {
      add(method, implementation, given);
      return router;
    },
    service(service, implementation, given) {
      for (const method of service.methods) {
        const own = (implementation as Record<string, unknown>)[method.localName];
        const bound = typeof own === "function" ? (own.bind(implementation) as never) : unimplemented(method);
        add(method, bound, given);
      }
      return router;
    },
  };
  return router;
}

/** Handlers by request path. Throws when two services claim one path. */
export function handlersByPath(handlers: readonly UniversalHandler[]): ReadonlyMap<string, UniversalHandler> {
  const byPath = new Map<string, UniversalHandler>();
  for (const handler of handlers) {
    if (byPath.has(handler.requestPath)) throw new Error(`${handler.requestPath} is registered twice`);
    byPath.set(handler.requestPath, handler);
  }
  return byPath;
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
