/** What the browser knows of the network: that it is gone, and that it is back. */

/** Resolves after so long, when the browser comes back online, or when the signal aborts. */
export function waitForNetwork(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    addEventListener("online", end);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}

/** Aborts when the browser goes offline before the attempt is over: the connection may take minutes to say so. */
export function whileOnline(attempt: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const onOffline = () => controller.abort(new Error("the browser is offline"));
  addEventListener("offline", onOffline, { once: true, signal: attempt });
  return controller.signal;
}
