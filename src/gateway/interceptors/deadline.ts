// Deadlines: a call that answers once always has one; a stream only the one its client set. Ends the call in time even
// when the handler does not look at its signal. Never lengthens what a client asked for.
import {
  Code,
  ConnectError,
  type Interceptor,
  type StreamResponse,
  type UnaryResponse,
} from "@connectrpc/connect";

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
        deadline.abort(new ConnectError("the call took too long", Code.DeadlineExceeded));
      },
      clientSetsOne ? options.unaryMaxMs : options.unaryDefaultMs,
    );
    // Stays linked after success too: request.signal then tells the handler that the call is over.
    if (request.signal.aborted) deadline.abort(request.signal.reason);
    else
      request.signal.addEventListener("abort", () => deadline.abort(request.signal.reason), { once: true });
    try {
      return await endWith(next({ ...request, signal: deadline.signal }), deadline.signal);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** What `work` gives, or why `signal` was aborted, whichever is first. Work that is overtaken is left to its own end. */
async function endWith<T extends UnaryResponse | StreamResponse | IteratorResult<unknown>>(
  work: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  let release: () => void = () => undefined;
  const end = new Promise<never>((_, reject) => {
    const onAbort = () => {
      reject(abortError(signal.reason));
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    release = () => {
      signal.removeEventListener("abort", onAbort);
    };
  });
  try {
    return await Promise.race([work, end]);
  } catch (reason) {
    // A handler that obeys its signal may throw anything at all; the deadline is the cause.
    if (isDeadline(signal.reason)) throw abortError(signal.reason);
    // ConnectError.from would call this one "canceled".
    if (reason instanceof Error && reason.name === "TimeoutError") throw abortError(reason);
    throw reason;
  } finally {
    release();
  }
}

function endMessagesWith<T>(messages: AsyncIterable<T>, signal: AbortSignal): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = messages[Symbol.asyncIterator]();
      return {
        next: () => endWith(iterator.next(), signal),
        return: async (value: unknown) =>
          (await iterator.return?.(value)) ?? { done: true, value: undefined },
        throw: async (reason: unknown) => {
          if (iterator.throw === undefined) throw reason;
          return iterator.throw(reason);
        },
      };
    },
  };
}

function isDeadline(reason: unknown): boolean {
  return reason instanceof ConnectError && reason.code === Code.DeadlineExceeded;
}

function abortError(reason: unknown): ConnectError {
  if (reason instanceof ConnectError) return reason;
  if (reason instanceof Error && reason.name === "TimeoutError") {
    return new ConnectError("the call took too long", Code.DeadlineExceeded);
  }
  return new ConnectError("the call was canceled", Code.Canceled);
}
