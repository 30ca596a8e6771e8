/**
 * Ends waiting when a call's signal says so: Connect aborts the signal at a deadline or a shutdown and then waits for a
 * handler that may never look at it. What is overtaken runs to its own end, unseen.
 */
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

/** What `work` gives, or why `signal` was aborted, whichever is first. */
export async function endWith<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
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
  } finally {
    release();
  }
}

/** The messages until `signal` is aborted: then the one waited for fails, and the source is returned. */
export function endMessagesWith<T>(messages: AsyncIterable<T>, signal: AbortSignal): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = messages[Symbol.asyncIterator]();
      let rejectWaiting: (reason: unknown) => void = () => undefined;
      const onAbort = () => {
        rejectWaiting(abortError(signal.reason));
        // Runs the handler's `finally` if it hangs on a write. How that ends is nobody's concern any more.
        iterator.return?.().then(undefined, () => undefined);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      return {
        next: () =>
          new Promise<IteratorResult<T>>((resolve, reject) => {
            rejectWaiting = reject;
            if (signal.aborted) onAbort();
            else iterator.next().then(resolve, reject);
          }),
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

/** For every stream: the call ends with its signal even when the handler waits for something else. */
export const endStreamsWithSignal: Interceptor = (next) => async (request) => {
  const response = await next(request);
  return response.stream
    ? { ...response, message: endMessagesWith(response.message, request.signal) }
    : response;
};

function abortError(reason: unknown): ConnectError {
  return reason instanceof ConnectError ? reason : new ConnectError("the call was canceled", Code.Canceled);
}
