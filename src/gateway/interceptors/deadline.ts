/**
 * Deadlines: a call that answers once always has one; a stream only the one its client set. Ends the call in time even
 * when the handler does not look at its signal. Never lengthens what a client asked for.
 */
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { endMessagesWith, endWith } from "../adapter/end-with-signal.ts";

export interface DeadlineOptions {
  /** For a unary call whose client set none, in milliseconds. Default 15 s. 1 s to `unaryMaxMs`. */
  unaryDefaultMs: number;
  /** For a unary call whose client set a longer one, in milliseconds. Default 60 s. */
  unaryMaxMs: number;
}

const defaults: Readonly<DeadlineOptions> = { unaryDefaultMs: 15_000, unaryMaxMs: 60_000 };

export function deadlineInterceptor(given: Partial<DeadlineOptions> = {}): Interceptor {
  const options = { ...defaults, ...given };
  return (next) => async (request) => {
    const clientSetsOne = request.header.has("grpc-timeout") || request.header.has("connect-timeout-ms");
    if (request.stream) {
      if (!clientSetsOne) return next(request);
      const response = await endWith(next(request), request.signal);
      if (!response.stream) return response;
      return { ...response, message: endMessagesWith(response.message, request.signal) };
    }
    // The client's own, if shorter, aborts request.signal.
    const deadline = new AbortController();
    const timer = setTimeout(
      () => {
        deadline.abort(tooLong());
      },
      clientSetsOne ? options.unaryMaxMs : options.unaryDefaultMs,
    );
    // Stays linked after success too: request.signal then tells the handler that the call is over.
    if (request.signal.aborted) deadline.abort(request.signal.reason);
    else
      request.signal.addEventListener("abort", () => deadline.abort(request.signal.reason), { once: true });
    try {
      return await endWith(next({ ...request, signal: deadline.signal }), deadline.signal);
    } catch (reason) {
      throw deadlineOf(reason);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** ConnectError.from would call the TimeoutError of a wait that the handler bounded itself "canceled". */
function deadlineOf(reason: unknown): unknown {
  return reason instanceof Error && reason.name === "TimeoutError" ? tooLong() : reason;
}

function tooLong(): ConnectError {
  return new ConnectError("the call took too long", Code.DeadlineExceeded);
}
