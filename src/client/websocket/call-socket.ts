/**
 * The socket of one call: messages as they come, one reader, and one end that everybody waiting hears of. A signal ends it;
 * so does a close that the server did not announce.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { readyStateOpen, type WebSocketConstructor, type WebSocketLike } from "./web-socket.ts";

/** Unsent bytes after which the sender waits. A second of audio and more. */
const highWaterBytes = 128 * 1024;
/** WebSockets tell of no room: it is looked for so often. */
const drainPollMs = 10;
/** Answers that nobody reads, before the call is given up. */
const maxUnreadBytes = 32 * 1024 * 1024;

export class CallSocket implements AsyncIterable<Uint8Array, undefined> {
  /** Rejects with a ConnectError. */
  readonly opened: Promise<unknown>;
  readonly #socket: WebSocketLike;
  readonly #signal: AbortSignal | undefined;
  readonly #opening = Promise.withResolvers<undefined>();
  #unread: Uint8Array[] = [];
  #unreadBytes = 0;
  #hasEnded = false;
  #failure: ConnectError | undefined;
  #wake: (() => void) | undefined;

  constructor(
    webSocket: WebSocketConstructor,
    url: string,
    subprotocol: string,
    signal: AbortSignal | undefined,
  ) {
    signal?.throwIfAborted();
    this.opened = this.#opening.promise;
    this.opened.catch(() => undefined); // whoever does not wait for it hears of the failure elsewhere
    const socket = new webSocket(url, [subprotocol]);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opening.resolve(undefined);
    socket.onmessage = ({ data }: { data: unknown }) => this.#take(data);
    socket.onerror = () => undefined; // a close follows, and tells more
    socket.onclose = ({ code }: { code: number }) => this.#onClose(code);
    this.#socket = socket;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort);
  }

  get isOver(): boolean {
    return this.#hasEnded || this.#failure !== undefined;
  }

  /** Nothing once the call is over. */
  send(message: Uint8Array<ArrayBuffer>): void {
    if (!this.isOver && this.#socket.readyState === readyStateOpen) this.#socket.send(message);
  }

  /** Resolves when there is room for more, or the call is over. */
  async drained(): Promise<void> {
    while (!this.isOver && this.#socket.bufferedAmount > highWaterBytes) {
      await new Promise((resolve) => setTimeout(resolve, drainPollMs));
    }
  }

  /** Ends the call: the server takes a close without a half-close for a cancellation. */
  fail(reason: unknown): void {
    if (this.isOver) return;
    this.#failure = ConnectError.from(reason, Code.Unknown);
    this.#finish();
    this.#socket.close(1000);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: () => this.#next(),
      return: () => {
        this.fail(new ConnectError("the call is over", Code.Canceled));
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const first = this.#unread.shift();
      if (first) {
        this.#unreadBytes -= first.length;
        return { done: false, value: first };
      }
      if (this.#failure) throw this.#failure;
      if (this.#hasEnded) return { done: true, value: undefined };
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #take(data: unknown): void {
    if (this.isOver) return;
    if (!(data instanceof ArrayBuffer)) {
      this.fail(new ConnectError("the server sent text where bytes belong", Code.Internal));
      return;
    }
    this.#unread.push(new Uint8Array(data));
    this.#unreadBytes += data.byteLength;
    if (this.#unreadBytes > maxUnreadBytes) {
      this.#unread = [];
      this.fail(new ConnectError("the answers were not read", Code.ResourceExhausted));
    }
    this.#wake?.();
  }

  readonly #onAbort = () => this.fail(this.#signal?.reason);

  #onClose(code: number): void {
    if (this.isOver) return;
    if (code === 1000) this.#hasEnded = true;
    else this.#failure = closeError(code);
    this.#finish();
  }

  #finish(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#opening.reject(this.#failure ?? closeError(1000));
    this.#wake?.();
  }
}

/** What a close says that no status came before. */
function closeError(code: number): ConnectError {
  switch (code) {
    case 1002:
    case 1003:
    case 1007:
      return new ConnectError(`the server could not read a message (${code})`, Code.InvalidArgument);
    case 1008:
      return new ConnectError("the server waited too long for a message", Code.DeadlineExceeded);
    case 1009:
      return new ConnectError("a message is larger than the server takes", Code.ResourceExhausted);
    case 1011:
      return new ConnectError("the server failed", Code.Internal);
    case 1006: {
      const message =
        "the WebSocket cannot be opened, or its connection broke; is the server there, and the page's origin allowed?";
      return new ConnectError(message, Code.Unavailable);
    }
    default:
      return new ConnectError(`the server closed the WebSocket (${code})`, Code.Unavailable);
  }
}
