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

/** Aborts when the browser goes offline: it may take minutes until the connection itself says so. */
export function whileOnline(): AbortSignal {
  const controller = new AbortController();
  addEventListener("offline", () => controller.abort(new Error("the browser is offline")), { once: true });
  return controller.signal;
}
