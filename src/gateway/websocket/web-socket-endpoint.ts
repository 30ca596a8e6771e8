/**
 * What a WebSocket is to the parts that speak over one: messages in, messages out, and when it is over. Says nothing of how
 * sockets are accepted or watched.
 */

/** A path at which something is spoken over WebSockets that is no RPC. */
export interface WebSocketEndpoint {
  /**
   * Decides on a handshake before it is answered. A ConnectError refuses it, with the HTTP status of its code (UNAUTHENTICATED
   * is 401); anything else is "internal error". What is returned serves the open socket, which is closed with 1000 when it
   * resolves and with 1011 when it rejects, unless it was closed before.
   */
  admit(handshake: Handshake): ServeSocket | Promise<ServeSocket>;
  /** Whether a client may never say anything. Default false: one whose first message does not come in time is closed. */
  readonly mayBeSilent?: true;
}

export type ServeSocket = (socket: ServerSocket) => Promise<void>;

/** A client's wish for a WebSocket. Its origin is one that may call. */
export interface Handshake {
  readonly path: string;
  /** May hold a token: never to be logged. */
  readonly query: URLSearchParams;
  /** IP address of the connection's other end. */
  readonly address: string;
  /** Absent: no web page, or one that does not say. */
  readonly origin?: string;
  readonly requestId: string;
  /** Aborts when the client does not wait for the answer any more. */
  readonly signal: AbortSignal;
}

export type SocketMessage = { readonly text: string } | { readonly data: Uint8Array<ArrayBuffer> };

export interface ServerSocket {
  /**
   * The messages in order; what is not read holds the client back. Ends when the client closes the socket; throws a
   * ConnectError when it is closed by this side, or breaks. There is one reading.
   */
  readonly messages: AsyncIterable<SocketMessage>;
  /** Queues a message. With more unsent bytes than the limit the socket is closed with 1013. Nothing once it is closed. */
  sendText(text: string): void;
  sendData(data: Uint8Array): void;
  /** Resolves when little is unsent; rejects with the signal's reason when the socket is closed before. */
  drained(): Promise<void>;
  /** Closes it, after what is queued. `reason` takes 123 bytes at most. */
  close(code: number, reason: string): void;
  /** Aborts, with a ConnectError, when the socket is closed: by either side, or since the server stops (1001). */
  readonly signal: AbortSignal;
}

/** Status codes of RFC 6455, section 7.4.1, and of the registry that it made. */
export const closeCodes = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  policyViolation: 1008,
  internalError: 1011,
  tryAgainLater: 1013,
} as const;
