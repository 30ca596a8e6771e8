/** Ctrl-C and SIGTERM as an AbortSignal. */
import { CliError } from "./cli-error.ts";

/**
 * Runs work that clears up when its signal aborts. Rejects with a CliError of exit code 130 when it was interrupted,
 * whatever the work made of that. A second signal ends the process at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const onSignal = () => {
    if (interrupt.signal.aborted) process.exit(130);
    interrupt.abort(new CliError("interrupted", 130));
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  // Not `once`: log-update restores the cursor on a signal, and ends the process when it finds nobody else listening.
  for (const name of signals) process.on(name, onSignal);
  try {
    return await work(interrupt.signal);
  } catch (error) {
    interrupt.signal.throwIfAborted();
    throw error;
  } finally {
    for (const name of signals) process.removeListener(name, onSignal);
  }
}

/** Settles as the promise does, or rejects with the signal's reason when that aborts first. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason as Error);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
