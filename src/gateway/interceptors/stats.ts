/** Counts every call in CallStats. Changes nothing. */
import { ConnectError } from "@connectrpc/connect";
import type { Interceptor } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { CallStats } from "../stats/call-stats.ts";
import { failuresOf, outcomesOf } from "../stats/token-outcomes.ts";

/** To stand outside the errors interceptor, which gives it codes. `nowMs`: of a monotonic clock, default `performance.now`. */
export function statsInterceptor(stats: CallStats, nowMs = () => performance.now()): Interceptor {
  return (next) => async (request) => {
    const beganAtMs = nowMs();
    const method = `${request.service.typeName}.${request.method.name}`;
    try {
      const response = await next(request);
      if (response.stream || request.stream) {
        return response.stream
          ? { ...response, message: countEnd(response.message, (failed) => stats.ended(method, failed)) }
          : response;
      }
      stats.ended(method, false, nowMs() - beganAtMs);
      for (const outcome of outcomesOf(request.method, request.message, response.message))
        stats.token(outcome);
      return response;
    } catch (error) {
      stats.ended(method, true, request.stream ? undefined : nowMs() - beganAtMs);
      if (!request.stream) {
        const code = codeToString(ConnectError.from(error).code);
        for (const outcome of failuresOf(request.method, request.message, code)) stats.token(outcome);
      }
      throw error;
    }
  };
}

/** A stream that its client leaves did not fail. */
async function* countEnd<T>(messages: AsyncIterable<T>, onEnd: (failed: boolean) => void): AsyncIterable<T> {
  let failed = false;
  try {
    yield* messages;
  } catch (error) {
    failed = true;
    throw error;
  } finally {
    onEnd(failed);
  }
}
