/**
 * One id for each call: the client's own if it is sane, else a new one. On the response headers and in the context
 * values, so that a client's report and a log line can be brought together. Never derived from anything secret.
 */
import { randomUUID } from "node:crypto";
import { ConnectError, createContextKey, type ContextKey, type Interceptor } from "@connectrpc/connect";

export const requestIdHeader = "x-request-id";

/** The call's id. Undefined outside a call. */
export const requestIdKey: ContextKey<string | undefined> = createContextKey<string | undefined>(undefined, {
  description: "request id",
});

/** What a client may send: 8 to 64 letters, digits, dots, dashes and underscores. Too few to hold a token. */
const sane = /^[A-Za-z0-9._-]{8,64}$/;

export function requestIdFrom(sent: string | null | undefined): string {
  return typeof sent === "string" && sane.test(sent) ? sent : randomUUID();
}

/** Where the listener has set the id already it is on every response; elsewhere this interceptor does both. */
export function requestIdInterceptor(): Interceptor {
  return (next) => async (request) => {
    if (request.contextValues.get(requestIdKey) !== undefined) return next(request);
    const id = requestIdFrom(request.header.get(requestIdHeader));
    request.contextValues.set(requestIdKey, id);
    try {
      const response = await next(request);
      response.header.set(requestIdHeader, id);
      return response;
    } catch (reason) {
      if (reason instanceof ConnectError) reason.metadata.set(requestIdHeader, id);
      throw reason;
    }
  };
}
