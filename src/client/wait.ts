/** Waiting that can be called off. */
import type { Clock } from "./clock.ts";

/** Resolves after so long, or at once when the signal aborts. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}

/** Settles as the promise does, or rejects with what `onLate` makes after so long or when the signal aborts. */
export function within<T>(
  promise: Promise<T>,
  limit: {
    readonly clock: Clock;
    readonly ms: number;
    readonly signal: AbortSignal;
    readonly onLate: () => Error;
  },
): Promise<T> {
  const { clock, ms, signal, onLate } = limit;
  return new Promise((resolve, reject) => {
    const late = () => {
      release();
      reject(onLate());
    };
    const cancel = clock.after(ms, late);
    const release = () => {
      cancel();
      signal.removeEventListener("abort", late);
    };
    signal.addEventListener("abort", late);
    promise.then(resolve, reject).finally(release);
    if (signal.aborted) late();
  });
}
