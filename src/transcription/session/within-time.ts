/** Bounds a wait that nothing else bounds. */
import { sleep } from "../../clock.ts";
import type { Clock } from "../../clock.ts";

/** Settles as `work` does, or rejects when that takes longer; the work itself is not stopped. */
export async function withinTime<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const deadline = sleep(clock, ms, done.signal).then(
    () => Promise.reject(new Error(`not done within ${ms} ms`)),
    () => new Promise<never>(() => undefined), // the work was faster
  );
  try {
    return await Promise.race([work, deadline]);
  } finally {
    done.abort();
  }
}
