/** Time as it is passed in, so that tests need not wait for it. */

export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Calls back once, after so many milliseconds; the returned function takes that back. */
  readonly after: (ms: number, callback: () => void) => () => void;
}

/** The real one. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: Date.now,
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, 2 ** 31 - 1));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Waits; rejects with the signal's reason when it aborts first. */
export async function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const cancel = clock.after(ms, () => resolve(undefined));
  const onAbort = () => reject(signal?.reason as Error);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await promise;
  } finally {
    cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}
