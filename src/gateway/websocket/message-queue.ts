/** Messages between the socket that receives them and the one loop that reads them. Says when there are too many. */
import type { SocketMessage } from "./web-socket-endpoint.ts";

export interface MessageQueueOptions {
  readonly highWaterBytes: number;
  /** The queue holds more than the high-water mark: nothing more should come. */
  readonly onFull: () => void;
  /** After `onFull`: all has been read. */
  readonly onRoom: () => void;
}

/** What an empty message counts for, so that a flood of them is held back too. */
const messageOverheadBytes = 64;

export class MessageQueue implements AsyncIterable<SocketMessage, undefined> {
  readonly #options: MessageQueueOptions;
  #messages: { readonly message: SocketMessage; readonly bytes: number }[] = [];
  #bytes = 0;
  #isFull = false;
  #hasEnded = false;
  #failure: Error | undefined;
  #reader: PromiseWithResolvers<IteratorResult<SocketMessage, undefined>> | undefined;

  constructor(options: MessageQueueOptions) {
    this.#options = options;
  }

  push(message: SocketMessage, length: number): void {
    if (this.#failure || this.#hasEnded) return;
    if (this.#reader) {
      this.#reader.resolve({ done: false, value: message });
      this.#reader = undefined;
      return;
    }
    const bytes = length + messageOverheadBytes;
    this.#messages.push({ message, bytes });
    this.#bytes += bytes;
    if (this.#bytes <= this.#options.highWaterBytes || this.#isFull) return;
    this.#isFull = true;
    this.#options.onFull();
  }

  /** No more messages come; those that wait can still be read. */
  end(): void {
    this.#hasEnded = true;
    this.#reader?.resolve({ done: true, value: undefined });
    this.#reader = undefined;
  }

  /** Nothing can be read any more, unless it has ended: then what waits is. */
  fail(reason: Error): void {
    if (this.#hasEnded) return;
    this.#failure = reason;
    this.#messages = [];
    this.#reader?.reject(reason);
    this.#reader = undefined;
  }

  [Symbol.asyncIterator](): AsyncIterator<SocketMessage, undefined> {
    return { next: () => this.#next() };
  }

  #next(): Promise<IteratorResult<SocketMessage, undefined>> {
    if (this.#failure) return Promise.reject(this.#failure);
    const first = this.#messages.shift();
    if (first) {
      this.#bytes -= first.bytes;
      if (this.#isFull && this.#messages.length === 0) {
        this.#isFull = false;
        this.#options.onRoom();
      }
      return Promise.resolve({ done: false, value: first.message });
    }
    if (this.#hasEnded) return Promise.resolve({ done: true, value: undefined });
    this.#reader ??= Promise.withResolvers();
    return this.#reader.promise;
  }
}
