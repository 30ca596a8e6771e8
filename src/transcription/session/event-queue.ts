/**
 * The events that a client has not read yet. Push on one side, an async iterable on the other, and a bound between them:
 * a client that stops reading costs its stream, never the server's memory.
 */

export class EventQueue<T> implements AsyncIterable<T> {
  readonly #maxBytes: number;
  readonly #sizeOf: (event: T) => number;
  readonly #onOverflow: () => Error;
  #events: T[] = [];
  #bytes = 0;
  #ended: { readonly error?: Error } | undefined;
  #wake: (() => void) | undefined;

  /**
   * `sizeOf` estimates an event's bytes on the wire. When `maxBytes` are exceeded the queue ends with the error that
   * `onOverflow` gives, and takes no more: nothing is left out between two events.
   */
  constructor(options: { maxBytes: number; sizeOf: (event: T) => number; onOverflow: () => Error }) {
    this.#maxBytes = options.maxBytes;
    this.#sizeOf = options.sizeOf;
    this.#onOverflow = options.onOverflow;
  }

  /** Ignored once the queue has ended. */
  push(event: T): void {
    if (this.#ended) return;
    const size = this.#sizeOf(event);
    // A single event that is larger than the bound by itself may pass: the bound is on what piles up.
    if (this.#events.length > 0 && this.#bytes + size > this.#maxBytes) {
      this.end(this.#onOverflow());
      return;
    }
    this.#events.push(event);
    this.#bytes += size;
    this.#wake?.();
  }

  /** No more events: the reader gets what is there, then the error, if there is one, or the end. The first call counts. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = error === undefined ? {} : { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) {
        this.#bytes -= this.#sizeOf(event);
        yield event;
      } else if (this.#ended) {
        if (this.#ended.error) throw this.#ended.error;
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
      }
    }
  }
}
