/**
 * The HTTP/2 side of the port: a server that gets its connections handed over, and the guard of each session against
 * floods, idleness and peers that are gone. Never looks inside a stream.
 */
import {
  constants,
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import type { RequestHandler } from "./create-listener.ts";
import type { GatewayLimits } from "./limits.ts";
import type { Sweeper } from "./sweeper.ts";

export interface Http2Side {
  readonly server: Http2Server;
  /** GOAWAY to everybody: streams that are open finish, no new ones start, then the session closes. */
  closeSessions(): void;
}

export function createHttp2Server(
  limits: GatewayLimits,
  sweeper: Sweeper,
  onRequest: RequestHandler,
): Http2Side {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer(
    {
      settings: {
        maxConcurrentStreams: limits.maxConcurrentStreams,
        maxHeaderListSize: limits.maxHeaderBytes,
        enablePush: false,
      },
      maxHeaderListPairs: limits.maxHeaderFields,
      maxSessionMemory: limits.maxSessionMemoryMib,
      maxSessionInvalidFrames: 50,
      maxSessionRejectedStreams: 50,
      maxOutstandingPings: 4,
      maxSettings: 16,
      streamResetBurst: limits.streamResetBurst,
      streamResetRate: limits.streamResetPerSecond,
    },
    onRequest as (request: Http2ServerRequest, response: Http2ServerResponse) => void,
  );
  // Protocol errors end the session, and that is all that is to be done about them.
  server.on("sessionError", () => undefined);
  server.on("session", (session: ServerHttp2Session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    guardSession(session, limits, sweeper);
  });
  return {
    server,
    closeSessions() {
      for (const session of sessions) session.close();
    },
  };
}

function guardSession(session: ServerHttp2Session, limits: GatewayLimits, sweeper: Sweeper): void {
  const openedAtMs = performance.now();
  let greeted = false;
  let openStreams = 0;
  let lastStreamAtMs = openedAtMs;
  let bytesHeard = 0;
  let heardAtMs = openedAtMs;
  let pingedAtMs: number | undefined;
  const endFlood = () => {
    if (!session.destroyed) session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  };
  const pings = createBurstCounter(limits.maxPingsPer10s, 10_000, endFlood);
  const settings = createBurstCounter(limits.maxSettingsPer10s, 10_000, endFlood);

  session.on("ping", pings);
  session.on("remoteSettings", () => {
    greeted = true;
    settings();
  });
  session.on("stream", (stream) => {
    openStreams++;
    stream.once("close", () => {
      openStreams--;
      lastStreamAtMs = performance.now();
    });
  });

  const unwatch = sweeper.watch((nowMs) => {
    if (session.destroyed) return;
    // Any byte is a sign of life: an answer to a ping may wait for long behind what the peer sends over a slow line.
    const { bytesRead } = session.socket;
    if (bytesRead !== bytesHeard) {
      bytesHeard = bytesRead;
      heardAtMs = nowMs;
      pingedAtMs = undefined;
    }
    if (!greeted) {
      if (nowMs - openedAtMs > limits.firstBytesTimeoutMs) session.destroy();
    } else if (openStreams === 0) {
      // A close that the peer never lets through is cut after another idle time.
      if (nowMs - lastStreamAtMs > 2 * limits.sessionIdleMs) session.destroy();
      else if (nowMs - lastStreamAtMs > limits.sessionIdleMs && !session.closed) session.close();
    } else if (pingedAtMs !== undefined) {
      // Counted from the last byte, so that sweeps that come late do not add up; but never without the time to answer.
      const isOverdue = nowMs - heardAtMs > limits.pingAfterMs + limits.pingTimeoutMs;
      if (isOverdue && nowMs - pingedAtMs >= limits.pingTimeoutMs - limits.sweepEveryMs) session.destroy();
    } else if (nowMs - heardAtMs > limits.pingAfterMs) {
      pingedAtMs = nowMs;
      session.ping(() => undefined); // the answer is a byte like any other
    }
  });
  session.once("close", unwatch);
}

/** A function that calls `onTooMany` when it was itself called more than `max` times within a window. */
function createBurstCounter(max: number, windowMs: number, onTooMany: () => void): () => void {
  let windowStartMs = performance.now();
  let count = 0;
  return () => {
    const nowMs = performance.now();
    if (nowMs - windowStartMs > windowMs) {
      windowStartMs = nowMs;
      count = 0;
    }
    count++;
    if (count > max) onTooMany();
  };
}
