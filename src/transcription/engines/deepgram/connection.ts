/**
 * One live connection to Deepgram, through its SDK. It speaks the wire and knows how a connection fails; what is said on it
 * means nothing here. It never connects twice. Loaded when the first stream opens, since the SDK takes a while to load.
 */
import { DeepgramClient } from "@deepgram/sdk";
import type { Clock } from "../../../clock.ts";
import { EngineError } from "../speech-engine.ts";
import { listenBaseUrl, serverName } from "./endpoint.ts";
import { closeFailure, handshakeFailure, serverFailure } from "./failures.ts";
import type { ListenQuery } from "./listen-options.ts";
import { WebSocketTransport, type TransportEnd } from "./transport.ts";
import { readMessage, type DeepgramMessage } from "./wire.ts";

export interface ConnectionOptions {
  readonly apiKey: string;
  readonly url: string | undefined;
  readonly query: ListenQuery;
  readonly clock: Clock;
}

export interface ConnectionHandlers {
  readonly onMessage: (message: DeepgramMessage) => void;
  /** What was sent before has left for the network. */
  readonly onSent: () => void;
  /** Deepgram closed the connection in the normal way, code 1000. Nothing follows. */
  readonly onClosed: () => void;
  /** The connection is of no use any more. Nothing follows. */
  readonly onFailed: (error: EngineError) => void;
}

export interface ListenConnection {
  /** Bytes that have not left for the network. */
  readonly bufferedBytes: number;
  /** Handlers get what comes from now on, and what came before. */
  listen(handlers: ConnectionHandlers): void;
  /** 16-bit samples; an empty piece is not sent, since it would end the stream. */
  sendAudio(samples: Int16Array): void;
  sendKeepAlive(): void;
  sendFinalize(): void;
  sendCloseStream(): void;
  /** Ends the connection at once; handlers get nothing more. Safe to call again. */
  discard(): void;
}

/** Well below the 10 s that a client waits for its session: another engine may still have to be opened in that time. */
const handshakeTimeoutMs = 4_000;

/** Resolves when the connection is open. Rejects with an EngineError, or with the signal's reason. */
export async function openConnection(
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<ListenConnection> {
  const server = serverName(options.url);
  const opened = Promise.withResolvers<undefined>();
  const inbox = new Inbox();
  let isOpen = false;
  let transport: WebSocketTransport | undefined;

  const client = new DeepgramClient({
    apiKey: options.apiKey,
    baseUrl: listenBaseUrl(options.url),
    reconnect: false,
    transportFactory: (url, headers) => {
      transport = new WebSocketTransport(url, headers, {
        onOpen: () => {
          isOpen = true;
          opened.resolve(undefined);
        },
        onSent: () => inbox.deliver((handlers) => handlers.onSent()),
        onEnd(end) {
          const error = failureOf(end, server);
          if (!isOpen) opened.reject(error ?? new EngineError("unavailable", "Deepgram ended the stream"));
          else inbox.deliver((handlers) => (error ? handlers.onFailed(error) : handlers.onClosed()));
        },
      });
      return transport;
    },
  });
  const { model, ...query } = options.query;
  const socket = await client.listen.v1.createConnection({
    model: String(model),
    queryParams: query,
    reconnectAttempts: 0,
    // The clock below is the one that counts; the SDK's own only must not be faster.
    connectionTimeoutInSeconds: (2 * handshakeTimeoutMs) / 1000,
  });
  // The SDK prints what a handler throws, words and all, so that none may.
  socket.on("message", (received) => {
    const message = readMessage(received);
    if (message === "malformed") {
      const error = new EngineError("internal", "Deepgram sent what cannot be read", { retryable: true });
      inbox.deliver((handlers) => handlers.onFailed(error));
    } else if (message !== undefined) {
      inbox.deliver((handlers) => handlers.onMessage(message));
    }
  });
  const discard = (): void => {
    inbox.close();
    socket.close();
    transport?.close();
  };

  const onAbort = (): void => opened.reject(signal.reason as Error);
  signal.addEventListener("abort", onAbort, { once: true });
  const cancelTimeout = options.clock.after(handshakeTimeoutMs, () =>
    opened.reject(
      serverFailure("Deepgram did not answer in time", server, `no answer in ${handshakeTimeoutMs / 1000} s`),
    ),
  );
  try {
    signal.throwIfAborted();
    socket.connect();
    await opened.promise;
  } catch (error) {
    discard();
    throw error;
  } finally {
    cancelTimeout();
    signal.removeEventListener("abort", onAbort);
  }

  return {
    get bufferedBytes() {
      return transport?.bufferedBytes ?? 0;
    },
    listen: (handlers) => inbox.open(handlers),
    sendAudio: (samples) => {
      if (samples.length > 0) trySend(() => socket.sendMedia(samples));
    },
    sendKeepAlive: () => trySend(() => socket.sendKeepAlive({ type: "KeepAlive" })),
    sendFinalize: () => trySend(() => socket.sendFinalize({ type: "Finalize" })),
    sendCloseStream: () => trySend(() => socket.sendCloseStream({ type: "CloseStream" })),
    discard,
  };
}

/** The SDK throws once the socket is closing. That its end is near is told to the handlers, and nothing else is lost. */
function trySend(send: () => void): void {
  try {
    send();
  } catch {
    return;
  }
}

/** Undefined for a normal end. */
function failureOf(end: TransportEnd, server: string): EngineError | undefined {
  switch (end.kind) {
    case "refused":
      return handshakeFailure(end.status, server);
    case "unreachable":
      return serverFailure("Deepgram cannot be reached", server, end.errorCode);
    case "closed":
      return end.code === 1000 ? undefined : closeFailure(end.code, end.reason);
  }
}

/** Holds what comes before there is someone to hear it. */
class Inbox {
  #handlers: ConnectionHandlers | undefined;
  #waiting: ((handlers: ConnectionHandlers) => void)[] = [];
  #closed = false;

  open(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    for (const tell of this.#waiting.splice(0)) this.deliver(tell);
  }

  deliver(tell: (handlers: ConnectionHandlers) => void): void {
    if (this.#closed) return;
    if (this.#handlers === undefined) this.#waiting.push(tell);
    else tell(this.#handlers);
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
  }
}
