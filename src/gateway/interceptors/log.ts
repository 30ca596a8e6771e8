/**
 * One line for each call, when it ends: what was called, by whom from where, how it ended and how long it took. Never
 * headers, tokens, bodies or query strings.
 */
import { Code, ConnectError, type ContextValues, type Interceptor } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { Logger } from "pino";
import { peerKey, protocolKey } from "../adapter/call-context.ts";
import { requestIdKey } from "./request-id.ts";

export interface LogOptions {
  log: Logger;
  /** Names the caller, by what the credentials interceptor left in the context values; no secret. Default: no name. */
  caller?: (values: ContextValues) => string | undefined;
  /** Milliseconds of a monotonic clock. Default `performance.now`. */
  nowMs?: () => number;
}

const userAgentMaxLength = 200;

export function logInterceptor(options: LogOptions): Interceptor {
  const nowMs = options.nowMs ?? (() => performance.now());
  return (next) => async (request) => {
    const beganAtMs = nowMs();
    let logged = false;
    const end = (code: string) => {
      if (logged) return;
      logged = true;
      const peer = request.contextValues.get(peerKey);
      const line = {
        method: `${request.service.typeName}/${request.method.name}`,
        code,
        durationMs: Math.round((nowMs() - beganAtMs) * 10) / 10,
        peer: peer?.address,
        protocol: request.contextValues.get(protocolKey) ?? protocolOf(request.header.get("content-type")),
        httpVersion: peer?.httpVersion,
        userAgent: request.header.get("user-agent")?.slice(0, userAgentMaxLength),
        requestId: request.contextValues.get(requestIdKey),
        caller: options.caller?.(request.contextValues),
      };
      options.log[levelOf(code)](line, "call");
    };
    try {
      const response = await next(request);
      if (!response.stream) {
        end("ok");
        return response;
      }
      // A peer that goes away may leave the iterator below hanging. After success this comes too late to matter.
      request.signal.addEventListener("abort", () => end(codeOfAbort(request.signal.reason)), { once: true });
      return { ...response, message: noticeEnd(response.message, end) };
    } catch (reason) {
      end(codeOf(reason));
      throw reason;
    }
  };
}

function noticeEnd<T>(messages: AsyncIterable<T>, end: (code: string) => void): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = messages[Symbol.asyncIterator]();
      return {
        async next() {
          try {
            const result = await iterator.next();
            if (result.done === true) end("ok");
            return result;
          } catch (reason) {
            end(codeOf(reason));
            throw reason;
          }
        },
        async return(value: unknown) {
          end(codeToString(Code.Canceled));
          return (await iterator.return?.(value)) ?? { done: true, value: undefined };
        },
        async throw(reason: unknown) {
          end(codeOf(reason));
          if (iterator.throw === undefined) throw reason;
          return iterator.throw(reason);
        },
      };
    },
  };
}

/** What Connect tells the client: anything that is not a ConnectError is an internal error. */
function codeOf(reason: unknown): string {
  return codeToString(reason instanceof ConnectError ? reason.code : Code.Internal);
}

/** What a peer resets its stream with, "internal error" among it, is no error of this server's. */
function codeOfAbort(reason: unknown): string {
  const isOurs = reason instanceof ConnectError && reason.code !== Code.Internal;
  return codeToString(isOurs ? reason.code : Code.Canceled);
}

function protocolOf(contentType: string | null): string {
  if (contentType?.startsWith("application/grpc-web") === true) return "grpc-web";
  return contentType?.startsWith("application/grpc") === true ? "grpc" : "connect";
}

function levelOf(code: string): "info" | "warn" | "error" {
  switch (code) {
    case "internal":
    case "unknown":
    case "data_loss":
      return "error";
    case "unavailable":
    case "deadline_exceeded":
    case "resource_exhausted":
      return "warn";
    default:
      return "info";
  }
}
