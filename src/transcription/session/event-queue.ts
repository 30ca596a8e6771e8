/**
 * The events that a client has not read yet. Push on one side, an async iterable on the other, and a bound between them:
 * a client that stops reading costs its stream, never the server's memory.
 */

export class EventQueue<T> implements AsyncIterable<T> {
  readonly #maxBytes: number;
  readonly #sizeOf: (event: T) => number;
  readonly #onOverflow: () => Error;
  #events: { readonly event: T; readonly bytes: number }[] = [];
  #bytes = 0;
  #pushed = 0;
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

  /** How many events were ever put in. */
  get pushed(): number {
    return this.#pushed;
  }

  /** Ignored once the queue has ended. */
  push(event: T): void {
    if (this.#ended) return;
    const bytes = this.#sizeOf(event);
    // A single event that is larger than the bound by itself may pass: the bound is on what piles up.
    if (this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes) {
      this.end(this.#onOverflow());
      return;
    }
    this.#put(event, bytes);
  }

  /** As push, but outside the bound: for what the reader has asked for, however much it is. */
  pushAsked(event: T): void {
    if (!this.#ended) this.#put(event, 0);
  }

  /** No more events: the reader gets what is there, then the error, if there is one, or the end. The first call counts. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = error === undefined ? {} : { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const next = this.#events.shift();
      if (next !== undefined) {
        this.#bytes -= next.bytes;
        yield next.event;
      } else if (this.#ended) {
        if (this.#ended.error) throw this.#ended.error;
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
      }
    }
  }

  #put(event: T, bytes: number): void {
    this.#events.push({ event, bytes });
    this.#bytes += bytes;
    this.#pushed += 1;
    this.#wake?.();
  }
}
