/**
 * The gateway: one port for gRPC, gRPC-web, Connect, WebSockets and plain HTTP, with health and reflection built in. Knows no
 * service of its own; the composition root hands in routes, interceptors and limits. The only owner of `stop`.
 */
import { setMaxListeners } from "node:events";
import type { DescFile } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import type { Logger } from "pino";
import { Health } from "../../gen/ts/grpc/health/v1/health_pb.ts";
import { createCallTracker } from "./adapter/call-tracker.ts";
import { readAllowedOrigins } from "./adapter/allowed-origins.ts";
import { createCors } from "./adapter/cors.ts";
import { createLimitedRouter, handlersByPath } from "./adapter/limited-router.ts";
import { createDocuments, type PublicDocument } from "./adapter/public-documents.ts";
import { createRequestHandler, type PlainHandler } from "./adapter/handle-request.ts";
import { createHealthMonitor, type HealthReport } from "./health/health-monitor.ts";
import { createHealthPages } from "./health/health-page.ts";
import { createHealthService } from "./health/health-service.ts";
import { createListener } from "./listener/create-listener.ts";
import { defaultLimits, type GatewayLimits } from "./listener/limits.ts";
import { createSweeper } from "./listener/sweeper.ts";
import { registerReflection } from "./reflection/reflection-service.ts";
import { createRouteTable } from "./rest/create-route-table.ts";
import type { OldMember } from "./rest/old-members.ts";
import { createSocketAcceptor } from "./websocket/accept-sockets.ts";
import { serveGrpcSocket } from "./websocket/grpc/serve-grpc-socket.ts";
import { createInProcessCalls, type InProcessCalls } from "./websocket/in-process-calls.ts";
import type { WebSocketEndpoint } from "./websocket/web-socket-endpoint.ts";

export interface GatewayOptions {
  /**
   * Registers the services. Size limits are set here for every method, whatever the routes say about the rest. RPCs with a
   * `google.api.http` rule are served under its paths as well; createGateway throws for a rule that cannot be served.
   */
  routes: (router: ConnectRouter) => void;
  /** Of all services that `routes` registers, outermost first. */
  interceptors: readonly Interceptor[];
  /** Of health and reflection, which anybody may call: no credentials among them. Default none. */
  openInterceptors?: readonly Interceptor[];
  /** Runs for services of `routes` after the headers and before the body; a ConnectError refuses the call cheaply. */
  requestGate?: (context: HandlerContext) => void | Promise<void>;
  /** Asked for each health question, at most one at a time; must be cheap. */
  health: () => HealthReport | Promise<HealthReport>;
  /** What reflection tells of, and health knows by name. */
  descriptors: readonly DescFile[];
  /** PEM texts. Absent: cleartext. */
  tls?: { certPem: string; keyPem: string };
  /** Web pages that may call, as exact origins such as "https://app.example.org"; "*" is everybody. */
  allowedOrigins: readonly string[];
  /** HTML of GET /. Absent: 404. */
  indexPage?: () => string;
  /** Other names of fields in the bodies of old REST clients, by the full name of the message. Default none. */
  oldMembers?: Readonly<Record<string, readonly OldMember[]>>;
  /** JSON for everybody, by path, such as the keys at `/.well-known/jwks.json`. Asked at each request. Default none. */
  documents?: Readonly<Record<string, () => PublicDocument>>;
  /** Asked for paths that are no RPC and no page of the gateway; true when it has taken, and will answer, the request. */
  fallback?: PlainHandler;
  /** What is spoken over WebSockets beside the RPCs, by path. `calls` are clients of the RPCs of `routes`. Default nothing. */
  webSocketEndpoints?: (calls: InProcessCalls) => Readonly<Record<string, WebSocketEndpoint>>;
  limits?: Partial<GatewayLimits>;
  log: Logger;
}

export interface Gateway {
  /** Rejects when the port cannot be had. Port 0 takes a free one. */
  listen(port: number, host: string): Promise<{ port: number }>;
  /**
   * Takes no new calls, lets those in flight finish, and cuts what is left after `graceMs` or when `signal` aborts.
   * Resolves when every connection is closed.
   */
  stop(options: { graceMs: number; signal?: AbortSignal }): Promise<void>;
  callsInFlight(): number;
  /** Open connections, idle ones included. */
  connections(): number;
}

/** How long calls that are ended at the end of the grace have to tell their clients, in milliseconds. */
const lastWordsMs = 500;

export function createGateway(options: GatewayOptions): Gateway {
  const limits: GatewayLimits = { ...defaultLimits, ...options.limits };
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const sweeper = createSweeper(limits.sweepEveryMs);
  const monitor = createHealthMonitor({
    health: options.health,
    timeoutMs: limits.healthTimeoutMs,
    pollMs: limits.healthPollMs,
  });
  const tracker = createCallTracker(limits, sweeper);
  let stopping: Promise<void> | undefined;

  const { router, handlers } = buildRouter(options, limits, monitor, ending.signal);
  const pages = createHealthPages(monitor);
  const documents = createDocuments(options.documents ?? {});
  const routes = createRouteTable({
    rpcs: router.rpcs,
    oldMembers: options.oldMembers ?? {},
    takenPaths: ["/", ...handlers.keys(), ...Object.keys(pages), ...documents.keys()],
  });
  const allowedOrigins = readAllowedOrigins(options.allowedOrigins);
  const begin = () => (tracker.inFlight() < limits.maxCallsInFlight ? tracker.enter() : undefined);
  const sockets = createSocketAcceptor({
    limits,
    sweeper,
    allowedOrigins,
    isRpc: (path) => handlers.has(path),
    serveRpc: (socket, handshake) =>
      serveGrpcSocket(socket, handshake, { handlers, limits, sweeper, begin, log: options.log }),
    endpoints: new Map(Object.entries(options.webSocketEndpoints?.(createInProcessCalls(handlers)) ?? {})),
    begin,
    log: options.log,
  });
  const onRequest = createRequestHandler({
    handlers,
    findRoute: (httpMethod, path) => routes.find(httpMethod, path),
    documents,
    pages,
    indexPage: options.indexPage,
    fallback: options.fallback,
    cors: createCors({ allowedOrigins, maxAgeMs: limits.corsMaxAgeMs }),
    tracker,
    limits,
    log: options.log,
    isStopping: () => stopping !== undefined,
    onCallEnd: () => {
      if (stopping !== undefined) setImmediate(listener.closeIdle);
    },
  });
  const listener = createListener({
    limits,
    sweeper,
    onRequest,
    onUpgrade: sockets.onUpgrade,
    tls: options.tls,
  });

  const stop = async (graceMs: number, signal: AbortSignal | undefined) => {
    monitor.stop();
    sockets.stop();
    const closed = listener.close();
    await firstOf(closed, graceMs, signal);
    ending.abort(new ConnectError("the server is stopping", Code.Unavailable));
    sockets.closeEndpoints();
    await firstOf(closed, lastWordsMs, signal);
    listener.destroy();
    await closed;
    sweeper.stop();
  };
  return {
    listen: (port, host) => listener.listen(port, host),
    stop: ({ graceMs, signal }) => (stopping ??= Promise.resolve().then(() => stop(graceMs, signal))),
    callsInFlight: () => tracker.inFlight(),
    connections: () => listener.connections(),
  };
}

function buildRouter(
  options: GatewayOptions,
  limits: GatewayLimits,
  monitor: ReturnType<typeof createHealthMonitor>,
  shutdownSignal: AbortSignal,
) {
  const router = createLimitedRouter({
    limits,
    interceptors: options.interceptors,
    requestGate: options.requestGate,
    shutdownSignal,
  });
  options.routes(router);
  const open = createLimitedRouter({
    limits,
    interceptors: options.openInterceptors ?? [],
    requestGate: undefined,
    shutdownSignal,
  });
  const services = options.descriptors.flatMap((file) => file.services.map((service) => service.typeName));
  open.service(Health, createHealthService(monitor, services));
  registerReflection(open, options.descriptors);
  return { router, handlers: handlersByPath([...router.handlers, ...open.handlers]) };
}

/** Resolves with the promise, after the time, or with the signal: whichever is first. Leaves no timer behind. */
async function firstOf(
  promise: Promise<void>,
  timeMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (signal?.aborted === true) return;
  let release: () => void = () => undefined;
  const cut = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, timeMs);
    const onAbort = () => resolve();
    signal?.addEventListener("abort", onAbort, { once: true });
    release = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
  });
  await Promise.race([promise, cut]);
  release();
}
