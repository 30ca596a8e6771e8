/**
 * What happens to a request of either HTTP version: checked, given an id and CORS headers, then served as an RPC, a page
 * or a refusal. Whatever a request holds, nothing thrown here leaves the process.
 */
import { Code, createContextValues } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { Logger } from "pino";
import { requestIdFrom, requestIdHeader, requestIdKey } from "../interceptors/request-id.ts";
import type { HttpRequest, HttpResponse, RequestHandler } from "../listener/create-listener.ts";
import type { GatewayLimits } from "../listener/limits.ts";
import { answerPage, refuse } from "./answer.ts";
import { peerKey, reachedKey } from "./call-context.ts";
import { reset, type CallTracker } from "./call-tracker.ts";
import { checkTarget } from "./check-target.ts";
import type { Cors } from "./cors.ts";
import { serveRpc, type RpcHandler } from "./serve-rpc.ts";

/** True when it has taken the request. */
export type PlainHandler = (request: HttpRequest, response: HttpResponse) => boolean;

export interface RequestHandlerOptions {
  handlers: ReadonlyMap<string, UniversalHandler>;
  /** Finds the handler of a path that is neither an RPC's own nor a page; undefined: there is none. */
  findRoute: (httpMethod: string, path: string) => RpcHandler | undefined;
  /** Answered for everybody, whatever the origin, by path. */
  documents: ReadonlyMap<string, RequestHandler>;
  /** Answered for GET and HEAD, by path. */
  pages: Readonly<Record<string, RequestHandler>>;
  indexPage: (() => string) | undefined;
  fallback: PlainHandler | undefined;
  cors: Cors;
  tracker: CallTracker;
  limits: GatewayLimits;
  log: Logger;
  isStopping: () => boolean;
  onCallEnd: () => void;
}

export function createRequestHandler(options: RequestHandlerOptions): RequestHandler {
  const pages = new Map(Object.entries(options.pages));
  const { indexPage } = options;
  if (indexPage !== undefined) {
    pages.set("/", (request, response) => {
      answerPage(request, response, indexPage());
    });
  }
  return (request, response) => {
    // A reset peer shows up here too; the close that follows is what ends the call.
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    try {
      dispatch(options, pages, request, response);
    } catch (error) {
      options.log.error(
        { errorName: error instanceof Error ? error.name : typeof error },
        "request handler failed",
      );
      if (response.headersSent) reset(request, response);
      else
        refuse(request, response, {
          status: 500,
          code: Code.Internal,
          message: "internal error",
          close: true,
        });
    }
  };
}

function dispatch(
  options: RequestHandlerOptions,
  pages: ReadonlyMap<string, RequestHandler>,
  request: HttpRequest,
  response: HttpResponse,
): void {
  const sentId = request.headers[requestIdHeader];
  const requestId = requestIdFrom(typeof sentId === "string" ? sentId : undefined);
  response.setHeader(requestIdHeader, requestId);
  if (request.httpVersionMajor === 1 && options.isStopping()) response.setHeader("connection", "close");

  const target = checkTarget(request);
  if (!target.ok) {
    refuse(request, response, {
      status: 400,
      code: Code.InvalidArgument,
      message: target.problem,
      close: true,
    });
    return;
  }
  const document = options.documents.get(target.path);
  if (document !== undefined) {
    options.tracker.begin(request, response, { takesStream: false, onEnd: options.onCallEnd });
    document(request, response);
    return;
  }
  if (options.cors.apply(request, response)) return;
  const page = pages.get(target.path);
  const handler = options.handlers.get(target.path) ?? options.findRoute(request.method ?? "", target.path);
  if (handler !== undefined) {
    call(options, handler, requestId, request, response);
    return;
  }
  options.tracker.begin(request, response, { takesStream: false, onEnd: options.onCallEnd });
  if (page !== undefined && (request.method === "GET" || request.method === "HEAD")) {
    page(request, response);
  } else if (page !== undefined) {
    response.setHeader("allow", "GET, HEAD");
    refuse(request, response, {
      status: 405,
      code: Code.Unimplemented,
      message: "this page takes GET or HEAD",
    });
  } else if (options.fallback?.(request, response) !== true) {
    const message = "no such path: GET /health answers, and server reflection lists the services";
    refuse(request, response, { status: 404, code: Code.Unimplemented, message });
  }
}

function call(
  options: RequestHandlerOptions,
  handler: RpcHandler,
  requestId: string,
  request: HttpRequest,
  response: HttpResponse,
): void {
  const { tracker, limits, log } = options;
  if (tracker.inFlight() >= limits.maxCallsInFlight) {
    response.setHeader("retry-after", "1");
    const message = "the server has too many calls in flight: try again later";
    refuse(request, response, { status: 429, code: Code.ResourceExhausted, message, close: true });
    return;
  }
  const address = request.socket.remoteAddress ?? "";
  const contextValues = createContextValues()
    .set(peerKey, { address, httpVersion: request.httpVersion })
    .set(requestIdKey, requestId);
  const { methodKind } = handler.method;
  const method = `${handler.service.typeName}/${handler.method.name}`;
  tracker.begin(request, response, {
    takesStream: methodKind === "bidi_streaming" || methodKind === "client_streaming",
    onEnd: () => {
      options.onCallEnd();
      if (!contextValues.get(reachedKey)) {
        log.info({ method, httpStatus: response.statusCode, peer: address, requestId }, "call refused");
      }
    },
  });
  serveRpc({
    request,
    response,
    handler,
    contextValues,
    maxDeadlineMs: limits.maxDeadlineMs,
    onFailure: (errorName) => {
      log.error({ method, requestId, errorName }, "call failed while it was answered");
    },
  });
}
