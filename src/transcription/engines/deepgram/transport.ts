/**
 * One WebSocket, as the SDK's transport: the place that the SDK leaves for one's own. Its built-in one tells neither the
 * handshake's status nor how much is unsent, and connects again by itself; this one tells both, and never does.
 */
import type { DeepgramTransport, DeepgramTransportMessage } from "@deepgram/sdk";
import { WebSocket } from "ws";

/** How a connection came to its end, or did not come about. */
export type TransportEnd =
  | { readonly kind: "refused"; readonly status: number }
  /** No answer at all: no route, no name, no trust in the certificate. `errorCode` as Node has it. */
  | { readonly kind: "unreachable"; readonly errorCode: string }
  | { readonly kind: "closed"; readonly code: number; readonly reason: string };

export interface TransportWatcher {
  readonly onOpen: () => void;
  /** Called once; nothing follows. */
  readonly onEnd: (end: TransportEnd) => void;
  /** Something that was sent has left for the network. */
  readonly onSent: () => void;
}

/** Deepgram's messages are a few kilobytes. */
const maxMessageBytes = 1024 * 1024;

export class WebSocketTransport implements DeepgramTransport {
  readonly #socket: WebSocket;
  readonly #watcher: TransportWatcher;
  #opened = false;
  #ended = false;
  #errorCode = "no answer";

  constructor(url: string, headers: Record<string, string>, watcher: TransportWatcher) {
    this.#watcher = watcher;
    this.#socket = new WebSocket(url, { headers, perMessageDeflate: false, maxPayload: maxMessageBytes });
    this.#socket.on("open", () => {
      this.#opened = true;
      watcher.onOpen();
    });
    this.#socket.on("unexpected-response", (request, response) => {
      response.destroy();
      request.destroy();
      this.#end({ kind: "refused", status: response.statusCode ?? 0 });
    });
    // "close" follows and ends the connection; an error with no listener would end the process.
    this.#socket.on("error", (error: NodeJS.ErrnoException) => (this.#errorCode = error.code ?? error.name));
    this.#socket.on("close", (code, reason) =>
      this.#end(
        this.#opened
          ? { kind: "closed", code, reason: reason.toString("utf8") }
          : { kind: "unreachable", errorCode: this.#errorCode },
      ),
    );
  }

  /** Bytes that were sent and have not left for the network. */
  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: DeepgramTransportMessage): void {
    if (data instanceof Blob) throw new TypeError("a Blob cannot be sent");
    this.#socket.send(data, () => this.#watcher.onSent());
  }

  isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  onOpen(listener: () => void): void {
    this.#socket.on("open", listener);
  }

  onMessage(listener: (message: DeepgramTransportMessage) => void): void {
    this.#socket.on("message", (data, isBinary) => {
      // Deepgram speaks text on this API; what is not that is no message of it.
      listener(isBinary ? "" : (data as Buffer).toString("utf8"));
    });
  }

  /** The SDK learns of errors as of ends; what kind they are is told to the watcher. */
  onError(): void {
    return;
  }

  onClose(listener: (event: { code?: number; reason?: string }) => void): void {
    this.#socket.on("close", (code) => listener({ code }));
  }

  /** Ends the connection at once, whatever is under way; nothing is told to the watcher afterwards. */
  close(): void {
    this.#ended = true;
    this.#socket.terminate();
  }

  #end(end: TransportEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#watcher.onEnd(end);
  }
}
