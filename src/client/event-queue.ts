/** Events on their way to the app: bounded by whoever fills it waiting for room, read once, and ended or failed once. */

export interface EventQueueOptions<T> {
  /** From so many on, the queue is full. */
  readonly maxEvents: number;
  /** The app has this one now. */
  readonly onTaken: (event: T) => void;
  /** The app reads no more. */
  readonly onLeft: () => void;
}

type Step<T> = IteratorResult<T, undefined>;

export class EventQueue<T> implements AsyncIterator<T, undefined> {
  readonly #options: EventQueueOptions<T>;
  #events: T[] = [];
  #readers: PromiseWithResolvers<Step<T>>[] = [];
  #writers: (() => void)[] = [];
  #over: { readonly error: Error | undefined } | undefined;

  constructor(options: EventQueueOptions<T>) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#events.length >= this.#options.maxEvents;
  }

  push(event: T): void {
    if (this.#over) return;
    const reader = this.#readers.shift();
    if (!reader) {
      this.#events.push(event);
      return;
    }
    this.#options.onTaken(event);
    reader.resolve({ done: false, value: event });
  }

  /** Resolves when it is not full, or over. */
  room(): Promise<void> {
    if (!this.isFull || this.#over) return Promise.resolve();
    return new Promise((resolve) => this.#writers.push(resolve));
  }

  /** What is in it can still be read. */
  end(): void {
    this.#finish(undefined);
  }

  /** What is in it can still be read, and then throws. */
  fail(error: Error): void {
    this.#finish(error);
  }

  /** Forgets what is in it. */
  clear(): void {
    this.#events = [];
    this.#wakeWriters();
  }

  next(): Promise<Step<T>> {
    const event = this.#events.shift();
    if (event !== undefined) {
      this.#options.onTaken(event);
      this.#wakeWriters();
      return Promise.resolve({ done: false, value: event });
    }
    if (this.#over) {
      const { error } = this.#over;
      this.#over = { error: undefined }; // thrown once, as a generator does
      return error ? Promise.reject(error) : Promise.resolve({ done: true, value: undefined });
    }
    const reader = Promise.withResolvers<Step<T>>();
    this.#readers.push(reader);
    return reader.promise;
  }

  return(): Promise<Step<T>> {
    this.clear();
    this.#finish(undefined);
    this.#over = { error: undefined };
    this.#options.onLeft();
    return Promise.resolve({ done: true, value: undefined });
  }

  #finish(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = { error };
    for (const [index, reader] of this.#readers.splice(0).entries()) {
      if (index === 0 && error) {
        this.#over = { error: undefined };
        reader.reject(error);
      } else reader.resolve({ done: true, value: undefined });
    }
    this.#wakeWriters();
  }

  #wakeWriters(): void {
    if (this.isFull && !this.#over) return;
    for (const resolve of this.#writers.splice(0)) resolve();
  }
}
