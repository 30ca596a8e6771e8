/**
 * A transport for Connect-ES clients over WebSockets: every kind of RPC, in browsers too, where fetch cannot stream both
 * ways at once. Speaks gRPC-web in the grpc-websockets protocol; one socket is one call, so nothing outlives a call.
 */
import type { BinaryReadOptions, BinaryWriteOptions } from "@bufbuild/protobuf";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createTransport } from "@connectrpc/connect/protocol-grpc-web";
import { createSocketClient } from "./socket-client.ts";
import type { WebSocketConstructor } from "./web-socket.ts";

export interface WebSocketTransportOptions {
  /** Of the server: "https://speech.example.org". `http:` and `ws:` are the same here, so are `https:` and `wss:`. */
  readonly baseUrl: string;
  /** Default none. */
  readonly interceptors?: Interceptor[];
  /** Deadline of calls that bring none, in milliseconds. Default: none. */
  readonly defaultTimeoutMs?: number;
  /** Largest message that is taken. Default 4 MiB, what the server sends at most. */
  readonly readMaxBytes?: number;
  /** Largest message that is sent. Default 1 MiB, what the server takes at most. */
  readonly writeMaxBytes?: number;
  readonly binaryOptions?: Partial<BinaryReadOptions & BinaryWriteOptions>;
  /** Default: the global one, which browsers and Node have. */
  readonly webSocket?: WebSocketConstructor;
}

const defaultReadMaxBytes = 4 * 1024 * 1024;
const defaultWriteMaxBytes = 1024 * 1024;

/**
 * Credentials are metadata, as with every transport (`authorization: Bearer …`): they travel in the first message, never in
 * the URL. A handshake that the server refuses is UNAVAILABLE: browsers do not tell why.
 */
export function createWebSocketTransport(options: WebSocketTransportOptions): Transport {
  const { baseUrl, interceptors = [], defaultTimeoutMs, binaryOptions, webSocket } = options;
  return createTransport({
    baseUrl,
    httpClient: createSocketClient(webSocket ?? globalThis.WebSocket),
    useBinaryFormat: true,
    interceptors,
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: Number.MAX_SAFE_INTEGER,
    readMaxBytes: options.readMaxBytes ?? defaultReadMaxBytes,
    writeMaxBytes: options.writeMaxBytes ?? defaultWriteMaxBytes,
    ...(defaultTimeoutMs !== undefined && { defaultTimeoutMs }),
    ...(binaryOptions && { binaryOptions }),
  });
}
