/**
 * The limits that keep one client from taking the server away from the others: sizes, counts and times, each with its
 * default. Never reads configuration; the composition root may replace any of them.
 */

/** Every limit of the gateway. Times are in milliseconds, sizes in bytes. */
export interface GatewayLimits {
  /** Request message of a call that takes one message. Default 1 MiB: a long answer with its words fits. 64 KiB to 4 MiB. */
  unaryReadMaxBytes: number;
  /** Each message of a call that takes a stream. Default 65 KiB: 64 KiB of audio and its framing. 16 KiB to 1 MiB. */
  streamReadMaxBytes: number;
  /** Each response message. Default 4 MiB, which gRPC clients accept unasked: a summary of three hours fits. */
  writeMaxBytes: number;
  /** Read limits of single methods, keyed "package.Service/Method". Default none. */
  methodReadMaxBytes: Readonly<Record<string, number>>;
  /** Longest deadline that a client may set; a longer one is shortened to it. Default 24 h, the longest session. */
  maxDeadlineMs: number;
  /** Calls in flight in all; one more is answered RESOURCE_EXHAUSTED. Default 2000. */
  maxCallsInFlight: number;

  /** Connections in all; one more is closed at once. Default 4096; keep below the descriptors the process may open. */
  maxConnections: number;
  /** Connections of one address (an IPv6 /64). Default 1024: a proxy brings everybody from one. 20 without a proxy. */
  maxConnectionsPerAddress: number;
  /** From accepting a connection to knowing its protocol, TLS and HTTP/2 greetings included. Default 10 s. 2 s to 30 s. */
  firstBytesTimeoutMs: number;
  /** HTTP/1.1: all headers of a request. Default 15 s. */
  headersTimeoutMs: number;
  /** The whole body of a call that takes one message, in either HTTP version. Default 30 s: 1 MiB over a poor line. */
  bodyTimeoutMs: number;
  /** HTTP/1.1: an idle kept-alive connection. Default 65 s: longer than the 60 s of usual load balancers. */
  keepAliveTimeoutMs: number;
  /** HTTP/1.1: request line and headers. HTTP/2: the decoded header list. Default 16 KiB: an 8 KiB token fits. */
  maxHeaderBytes: number;
  /** Header fields of a request; HTTP/1.1 drops the rest, HTTP/2 refuses the stream. Default 100. */
  maxHeaderFields: number;

  /** WebSocket: each message. Default 65 KiB: 64 KiB of audio and its framing. */
  socketReadMaxBytes: number;
  /** WebSocket: frames of one message. Default 256. Clients send one; each that is kept takes memory, however small. */
  socketMaxFragments: number;
  /** WebSocket: pieces in which one frame arrives. Default 4096: 64 KiB in pieces of 16 bytes. */
  socketMaxChunks: number;
  /** WebSocket: events that a client does not read, before the socket is closed. RPCs wait instead. Default 256 KiB. */
  socketMaxUnsentBytes: number;
  /** WebSocket: from the handshake to the first message, and the longest decision on a handshake. Default 10 s. */
  firstMessageTimeoutMs: number;

  /** HTTP/2: streams at once on a connection. Default 100, what RFC 9113 calls the least sensible. */
  maxConcurrentStreams: number;
  /** HTTP/2: streams a client may reset in a burst before the connection is ended. Default 300. */
  streamResetBurst: number;
  /** HTTP/2: resets a second that are forgiven after the burst. Default 33. */
  streamResetPerSecond: number;
  /** HTTP/2 and WebSocket: PINGs of a client within 10 s before the connection is ended. Default 100; keep-alive needs a few. */
  maxPingsPer10s: number;
  /** HTTP/2: SETTINGS of a client within 10 s before the connection is ended. Default 20; clients send one or two. */
  maxSettingsPer10s: number;
  /** HTTP/2: memory of one connection, in MiB, before it gets no new streams. Default 10. */
  maxSessionMemoryMib: number;
  /** HTTP/2: a connection without streams is closed after this. Default 5 min. */
  sessionIdleMs: number;
  /** HTTP/2 with streams open, and WebSockets: not a byte received for so long, the peer is pinged. Default 5 s. */
  pingAfterMs: number;
  /**
   * HTTP/2: when after a ping not a byte comes for so long, the peer is gone and the connection is ended. Default 4 s: with
   * the silence before the ping and the time to notice, 10 s. On a slow line the answer may queue behind audio; that is heard.
   */
  pingTimeoutMs: number;

  /** A response of which nothing could be sent for so long is reset: the peer does not read. Default 60 s. */
  writeStallMs: number;
  /** How often the times above are looked at, so how late they may strike. Default 1 s. */
  sweepEveryMs: number;
  /** How long the readiness question may take before it counts as "no". Default 2 s. */
  healthTimeoutMs: number;
  /** How often readiness is asked while somebody watches it. Default 5 s. */
  healthPollMs: number;
  /** How long browsers may keep the answer to a CORS preflight. Default 2 h, the most that Chrome accepts. */
  corsMaxAgeMs: number;
}

export const defaultLimits: Readonly<GatewayLimits> = {
  unaryReadMaxBytes: 1024 * 1024,
  streamReadMaxBytes: 65 * 1024,
  writeMaxBytes: 4 * 1024 * 1024,
  methodReadMaxBytes: {},
  maxDeadlineMs: 24 * 60 * 60_000,
  maxCallsInFlight: 2000,
  maxConnections: 4096,
  maxConnectionsPerAddress: 1024,
  firstBytesTimeoutMs: 10_000,
  headersTimeoutMs: 15_000,
  bodyTimeoutMs: 30_000,
  keepAliveTimeoutMs: 65_000,
  maxHeaderBytes: 16 * 1024,
  maxHeaderFields: 100,
  socketReadMaxBytes: 65 * 1024,
  socketMaxFragments: 256,
  socketMaxChunks: 4096,
  socketMaxUnsentBytes: 256 * 1024,
  firstMessageTimeoutMs: 10_000,
  maxConcurrentStreams: 100,
  streamResetBurst: 300,
  streamResetPerSecond: 33,
  maxPingsPer10s: 100,
  maxSettingsPer10s: 20,
  maxSessionMemoryMib: 10,
  sessionIdleMs: 5 * 60_000,
  pingAfterMs: 5_000,
  pingTimeoutMs: 4_000,
  writeStallMs: 60_000,
  sweepEveryMs: 1000,
  healthTimeoutMs: 2000,
  healthPollMs: 5000,
  corsMaxAgeMs: 2 * 60 * 60_000,
};
