/**
 * One accepted WebSocket, with bounds on all that a client may make of it: unread messages, unsent ones, silence, a first
 * message that does not come, floods of pings. Knows nothing of what is spoken.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type { WebSocket } from "ws";
import type { GatewayLimits } from "../listener/limits.ts";
import type { Sweeper } from "../listener/sweeper.ts";
import { MessageQueue } from "./message-queue.ts";
import { closeCodes, type ServerSocket } from "./web-socket-endpoint.ts";

export interface ServerSocketOptions {
  readonly limits: GatewayLimits;
  readonly sweeper: Sweeper;
  /** Beyond so many unsent bytes the socket is closed: its client does not read. */
  readonly maxUnsentBytes: number;
  /** Bytes received so far, those of unfinished messages included. */
  readonly bytesRead: () => number;
}

export interface OpenSocket extends ServerSocket {
  /** Whether the client has not said anything yet. */
  readonly isFresh: boolean;
  /** Resolves when it has. */
  readonly spoken: Promise<unknown>;
}

/** Unsent bytes that a writer need not wait for. */
const lowWaterBytes = 16 * 1024;
/** Unread bytes after which the client is held back. */
const highWaterBytes = 64 * 1024;
const pingWindowMs = 10_000;

export function openServerSocket(socket: WebSocket, options: ServerSocketOptions): OpenSocket {
  return new WatchedSocket(socket, options);
}

class WatchedSocket implements OpenSocket {
  readonly #socket: WebSocket;
  readonly #options: ServerSocketOptions;
  readonly #over = new AbortController();
  readonly #queue: MessageQueue;
  #unsentBytes = 0;
  #bytesThisTurn = 0;
  #waiting: (() => void)[] = [];
  readonly #spoken = Promise.withResolvers<undefined>();
  readonly spoken = this.#spoken.promise;
  isFresh = true;

  constructor(socket: WebSocket, options: ServerSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#queue = new MessageQueue({
      highWaterBytes,
      onFull: () => socket.pause(),
      onRoom: () => socket.resume(),
    });
    socket.on("message", (raw, isBinary) => {
      this.isFresh = false;
      this.#spoken.resolve(undefined);
      const data = raw as Buffer<ArrayBuffer>;
      this.#queue.push(isBinary ? { data } : { text: data.toString("utf8") }, data.length);
    });
    socket.on("error", (error: Error & { code?: string }) => {
      this.#end(
        error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH"
          ? new ConnectError("a message is larger than 64 KiB; send smaller ones", Code.ResourceExhausted)
          : new ConnectError("what was sent is not a WebSocket message", Code.InvalidArgument),
      );
    });
    socket.on("close", (code) => {
      const isBroken = code === 1006;
      if (!isBroken) this.#queue.end();
      this.#end(clientGone());
    });
    this.#watch();
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  get messages() {
    return this.#queue;
  }

  sendText(text: string): void {
    this.#send(text, Buffer.byteLength(text));
  }

  sendData(data: Uint8Array): void {
    this.#send(data, data.byteLength);
  }

  async drained(): Promise<void> {
    if (this.#bytesThisTurn > highWaterBytes) {
      // What the kernel takes at once costs no wait: without this, a writer with much to say would let nobody else run.
      await new Promise((resolve) => setImmediate(resolve));
      this.#bytesThisTurn = 0;
    }
    while (this.#unsentBytes > lowWaterBytes && !this.signal.aborted) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.signal.throwIfAborted();
  }

  close(code: number, reason: string): void {
    this.#close(code, reason, new ConnectError(reason || "the socket is closed", Code.Canceled));
  }

  #send(message: string | Uint8Array, bytes: number): void {
    if (this.signal.aborted) return;
    if (this.#socket.readyState !== this.#socket.OPEN) {
      this.#end(clientGone()); // it has said so, and waits for the connection to close
      return;
    }
    this.#unsentBytes += bytes;
    this.#bytesThisTurn += bytes;
    this.#socket.send(message, { binary: typeof message !== "string", compress: false }, () => {
      this.#unsentBytes -= bytes;
      if (this.#unsentBytes <= lowWaterBytes) this.#wake();
    });
    // A single message that is larger than the bound may pass: the bound is on what piles up.
    const isAlone = this.#unsentBytes - bytes <= lowWaterBytes;
    if (this.#unsentBytes <= this.#options.maxUnsentBytes || isAlone) return;
    const message_ = "events were not read";
    this.#close(closeCodes.tryAgainLater, message_, new ConnectError(message_, Code.ResourceExhausted));
  }

  #close(code: number, reason: string, error: ConnectError): void {
    if (!this.signal.aborted) this.#socket.close(code, reason);
    this.#end(error);
  }

  /** Nobody is waited for any more; what still comes is dropped. */
  #end(reason: ConnectError): void {
    if (this.signal.aborted) return;
    this.#over.abort(reason);
    this.#queue.fail(reason);
    this.#socket.resume(); // for the client's half of the closing handshake
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Until the connection is closed, whoever closes it. */
  #watch(): void {
    const { limits, sweeper, bytesRead } = this.#options;
    const socket = this.#socket;
    const openedAtMs = performance.now();
    let heardBytes = bytesRead();
    let heardAtMs = openedAtMs;
    let pingedAtMs: number | undefined;
    let unsentBytes = 0;
    let stalledSinceMs: number | undefined;
    let pings = 0;
    let pingsSinceMs = openedAtMs;
    socket.on("ping", () => {
      const nowMs = performance.now();
      if (nowMs - pingsSinceMs > pingWindowMs) [pings, pingsSinceMs] = [0, nowMs];
      if (++pings > limits.maxPingsPer10s) socket.terminate();
    });
    const unwatch = sweeper.watch((nowMs) => {
      if (this.isFresh && nowMs - openedAtMs > limits.firstMessageTimeoutMs) {
        this.close(closeCodes.policyViolation, "no message came in time");
      }
      if (this.#unsentBytes === 0 || this.#unsentBytes < unsentBytes) stalledSinceMs = undefined;
      else stalledSinceMs ??= nowMs;
      unsentBytes = this.#unsentBytes;
      if (stalledSinceMs !== undefined && nowMs - stalledSinceMs > limits.writeStallMs) socket.terminate();

      if (bytesRead() !== heardBytes) {
        heardBytes = bytesRead();
        heardAtMs = nowMs;
        pingedAtMs = undefined;
      } else if (socket.isPaused) {
        // It is not read: its silence says nothing. A ping to a peer that is gone is an error.
        if (nowMs - (pingedAtMs ?? 0) > limits.pingAfterMs) {
          heardAtMs = pingedAtMs = nowMs;
          socket.ping();
        }
      } else if (pingedAtMs !== undefined) {
        const isOverdue = nowMs - heardAtMs > limits.pingAfterMs + limits.pingTimeoutMs;
        if (isOverdue && nowMs - pingedAtMs >= limits.pingTimeoutMs - limits.sweepEveryMs) socket.terminate();
      } else if (nowMs - heardAtMs > limits.pingAfterMs) {
        pingedAtMs = nowMs;
        if (socket.readyState === socket.OPEN) socket.ping();
      }
    });
    socket.once("close", unwatch);
  }
}

function clientGone(): ConnectError {
  return new ConnectError("the client is gone", Code.Canceled);
}
