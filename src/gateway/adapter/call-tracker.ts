/**
 * The calls in flight: how many, and which of them are stuck because the peer does not read, or sends its one message
 * too slowly. Resets those; never judges how long a handler takes.
 */
import { constants } from "node:http2";
import type { HttpRequest, HttpResponse } from "../listener/create-listener.ts";
import type { GatewayLimits } from "../listener/limits.ts";
import type { Sweeper } from "../listener/sweeper.ts";

export interface CallTracker {
  /** Counts the call until its response is finished or closed, then calls `onEnd` once. */
  begin(
    request: HttpRequest,
    response: HttpResponse,
    call: { takesStream: boolean; onEnd: () => void },
  ): void;
  /** Counts a call that is no HTTP request, until the returned function is called. */
  enter(): () => void;
  inFlight(): number;
}

export function createCallTracker(limits: GatewayLimits, sweeper: Sweeper): CallTracker {
  let inFlight = 0;
  return {
    inFlight: () => inFlight,
    enter() {
      inFlight++;
      return () => {
        inFlight--;
      };
    },
    begin(request, response, call) {
      inFlight++;
      const beganAtMs = performance.now();
      let stalledSinceMs: number | undefined;
      let bodyDone = call.takesStream;
      const onBodyEnd = () => {
        bodyDone = true;
      };
      const onDrain = () => {
        stalledSinceMs = undefined;
      };
      const unwatch = sweeper.watch((nowMs) => {
        if (!bodyDone && nowMs - beganAtMs > limits.bodyTimeoutMs) reset(request, response);
        if (pendingBytes(response) === 0) stalledSinceMs = undefined;
        else if (stalledSinceMs === undefined) stalledSinceMs = nowMs;
        else if (nowMs - stalledSinceMs > limits.writeStallMs) reset(request, response);
      });
      let ended = false;
      const end = () => {
        if (ended) return;
        ended = true;
        inFlight--;
        unwatch();
        call.onEnd();
      };
      request.once("end", onBodyEnd);
      response.on("drain", onDrain);
      response.once("finish", end);
      response.once("close", end);
    },
  };
}

/** Ends one call and leaves the others of its connection alone where the HTTP version can. */
export function reset(request: HttpRequest, response: HttpResponse): void {
  if ("stream" in response) response.stream.close(constants.NGHTTP2_CANCEL);
  else request.socket.destroy();
}

/** Response bytes that the peer has not made room for. */
function pendingBytes(response: HttpResponse): number {
  return "stream" in response ? response.stream.writableLength : response.writableLength;
}
