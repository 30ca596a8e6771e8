/**
 * Carries one call from Node's HTTP request to its Connect handler and back. Owns what the exported Connect adapter
 * gets wrong or leaves out: requests it would throw on, empty refusals, streams that the server ends first.
 */
import { constants } from "node:http2";
import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type {
  UniversalHandler,
  UniversalHandlerFn,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import type { HttpRequest, HttpResponse } from "../listener/create-listener.ts";
import { refuse, statusBody } from "./answer.ts";
import { reset } from "./call-tracker.ts";

/** A handler of one RPC, in whatever protocol. */
export type RpcHandler = UniversalHandlerFn & Pick<UniversalHandler, "service" | "method" | "allowedMethods">;

export interface RpcCall {
  request: HttpRequest;
  response: HttpResponse;
  handler: RpcHandler;
  contextValues: ContextValues;
  /** Longest deadline, in milliseconds; a longer one is shortened. */
  maxDeadlineMs: number;
  /** Given the name of an error that no client can be told of, because the response is under way. */
  onFailure: (errorName: string) => void;
}

/** Never throws and never rejects. */
export function serveRpc(call: RpcCall): void {
  const { request, response } = call;
  let universalRequest;
  try {
    universalRequest = universalRequestFromNodeRequest(
      request,
      response as never,
      undefined,
      call.contextValues,
    );
  } catch {
    refuse(request, response, {
      status: 400,
      code: Code.InvalidArgument,
      message: "malformed request",
      close: true,
    });
    return;
  }
  shortenDeadline(universalRequest.header, call.maxDeadlineMs);
  joinCredentials(universalRequest.header, request.rawHeaders);
  universalRequest = { ...universalRequest, body: wholeBody(universalRequest.body, request) };
  if ("stream" in response) endWithResponse(request, response);
  call
    .handler(universalRequest)
    .then((answer) => {
      const whole = plainMessages(explained(answer, call.handler));
      return universalResponseToNodeResponse(
        request.method === "HEAD" ? withoutBody(whole) : whole,
        response,
      );
    })
    .catch((reason: unknown) => {
      // The peer went away or reset its stream: nobody is left to tell.
      if (response.destroyed || ConnectError.from(reason).code === Code.Aborted) return;
      call.onFailure(reason instanceof Error ? reason.name : typeof reason);
      if (response.headersSent) reset(request, response);
      else refuse(request, response, { status: 500, code: Code.Internal, message: "internal error" });
    });
}

/**
 * Connect refuses a deadline above its limit, and Node fires a timer at once above 2^31 ms; a client that says "a very
 * long time" means neither.
 */
export function shortenDeadline(header: Headers, maxDeadlineMs: number): void {
  const connect = header.get("connect-timeout-ms");
  if (connect !== null && /^\d{1,10}$/.test(connect) && Number(connect) > maxDeadlineMs) {
    header.set("connect-timeout-ms", String(maxDeadlineMs));
  }
  const unitMs: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
  const [, amount, unit] = /^(\d{1,8})([HMSmun])$/.exec(header.get("grpc-timeout") ?? "") ?? [];
  if (amount !== undefined && unit !== undefined && Number(amount) * (unitMs[unit] ?? 0) > maxDeadlineMs) {
    header.set("grpc-timeout", `${Math.floor(maxDeadlineMs / 1000)}S`);
  }
}

/** Node keeps the first of several `authorization` fields; as one field of all of them they are no credential. */
function joinCredentials(header: Headers, rawHeaders: readonly string[]): void {
  const sent = rawHeaders.filter((_, index) => index % 2 === 1 && isAuthorization(rawHeaders[index - 1]));
  if (sent.length > 1) header.set("authorization", sent.join(", "));
}

function isAuthorization(name: string | undefined): boolean {
  return name?.length === 13 && name.toLowerCase() === "authorization";
}

/**
 * Node ends the body of an HTTP/2 request that was reset as if it were complete; to a handler that would be a client which
 * has said everything. Here it is a failure.
 */
function wholeBody(
  body: UniversalServerRequest["body"],
  request: HttpRequest,
): UniversalServerRequest["body"] {
  if (!("stream" in request) || !isStream(body)) return body;
  const { stream } = request;
  const chunks = body[Symbol.asyncIterator]();
  const iterator: AsyncIterator<Uint8Array> = {
    async next() {
      const chunk = await chunks.next();
      if (chunk.done !== true) return chunk;
      // Clients that cancel may half-close first and reset right after; a turn later it shows. A stream that was only
      // half-closed is still open for the answer.
      await new Promise((resolve) => setImmediate(resolve));
      if (stream.closed || stream.aborted) throw new ConnectError("the client is gone", Code.Canceled);
      return chunk;
    },
    // No `return`: it would destroy the stream, and with it the answer to a client that sent something wrong.
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

function isStream(body: UniversalServerRequest["body"]): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

/**
 * Connect escapes more of a gRPC status message than the protocol asks for (all but %x20-%x24 and %x26-%x7E), and some
 * clients leave ";", ":" and the like escaped. Source: PROTOCOL-HTTP2.md of gRPC, "Percent-Encoded".
 */
function plainMessages(answer: UniversalServerResponse): UniversalServerResponse {
  const { body, trailer, header } = answer;
  for (const fields of [header, trailer]) if (fields) plainMessage(fields);
  if (body === undefined || !trailer) return answer;
  return {
    ...answer,
    body: (async function* () {
      yield* body;
      plainMessage(trailer); // set only once the body has ended
    })(),
  };
}

function plainMessage(fields: Headers): void {
  const message = fields.get("grpc-message");
  if (message === null) return;
  const plain = decodeURIComponent(message).replace(/[^ -$&-~]/gu, (character) =>
    character === "%" ? "%25" : encodeURIComponent(character),
  );
  fields.set("grpc-message", plain);
}

/** A server that has answered wants no more of the request: without this, such a stream would stay open. */
function endWithResponse(request: HttpRequest, response: HttpResponse): void {
  if (!("stream" in response)) return;
  const { stream } = response;
  // Node asks for trailers after the last data and the response gives them at once. A reset in front of them would take
  // the place of the status.
  stream.once("wantTrailers", () => {
    setImmediate(() => {
      if (!request.complete && !stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR);
    });
  });
}

/** HTTP/2 fails when a body follows the headers of an answer to HEAD. */
function withoutBody({ status, header }: UniversalServerResponse): UniversalServerResponse {
  return { status, ...(header && { header }) };
}

/** Connect answers 405, 415 and 505 without a word; this adds what to do instead. */
function explained(answer: UniversalServerResponse, handler: RpcHandler): UniversalServerResponse {
  if (answer.body !== undefined) return answer;
  const header = new Headers(answer.header);
  let message: string;
  if (answer.status === 405) {
    header.set("allow", handler.allowedMethods.join(", "));
    message = `this method takes ${handler.allowedMethods.join(" or ")}`;
  } else if (answer.status === 415) {
    message =
      handler.method.methodKind === "unary"
        ? "send content-type application/json, application/proto, application/grpc or application/grpc-web"
        : "send content-type application/connect+json, application/connect+proto, application/grpc or application/grpc-web";
  } else if (answer.status === 505) {
    message = "this method streams both ways and needs HTTP/2";
  } else {
    return answer;
  }
  const body = statusBody(answer.status, message);
  header.set("content-type", "application/json");
  header.set("content-length", String(body.length));
  header.set("x-content-type-options", "nosniff");
  return { ...answer, header, body: once(body) };
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(body);
}
