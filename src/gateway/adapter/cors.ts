/**
 * Which web pages may call: exact origins, told to the browser in CORS headers. Credentials are bearer tokens in
 * headers, never cookies, so nothing here allows cookies.
 */
import { cors } from "@connectrpc/connect";
import type { HttpRequest, HttpResponse } from "../listener/create-listener.ts";
import type { AllowedOrigins } from "./allowed-origins.ts";

const allowedHeaders = [
  ...cors.allowedHeaders,
  "Authorization",
  "X-Request-Id",
  "X-User-Agent",
  "Grpc-Accept-Encoding",
  "Grpc-Encoding",
].join(", ");
const exposedHeaders = [...cors.exposedHeaders, "Grpc-Encoding", "X-Request-Id", "Retry-After"].join(", ");

export interface Cors {
  /** Sets the headers of an allowed origin. True when the request was a preflight and is answered now. */
  apply(request: HttpRequest, response: HttpResponse): boolean;
}

export function createCors(options: { allowedOrigins: AllowedOrigins; maxAgeMs: number }): Cors {
  const { allowedOrigins } = options;
  const { anybody } = allowedOrigins;
  const maxAge = String(Math.floor(options.maxAgeMs / 1000));
  return {
    apply(request, response) {
      const origin = request.headers.origin;
      if (typeof origin !== "string") return false;
      // Caches must not give one origin's answer to another.
      if (!anybody) response.setHeader("vary", "Origin");
      const isAllowed = allowedOrigins.has(origin);
      if (isAllowed) response.setHeader("access-control-allow-origin", anybody ? "*" : origin);
      const isPreflight =
        request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined;
      if (!isPreflight) {
        if (isAllowed) response.setHeader("access-control-expose-headers", exposedHeaders);
        return false;
      }
      if (isAllowed) {
        response.setHeader("access-control-allow-methods", cors.allowedMethods.join(", "));
        response.setHeader("access-control-allow-headers", allowedHeaders);
        response.setHeader("access-control-max-age", maxAge);
      }
      response.writeHead(isAllowed ? 204 : 403);
      response.end();
      return true;
    },
  };
}
