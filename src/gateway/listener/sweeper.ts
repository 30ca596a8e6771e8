/**
 * One timer that looks at everything that may take too long. Knows nothing of what it watches, and keeps no process
 * alive.
 */

export interface Sweeper {
  /** Calls `check` with the time of a monotonic clock, in milliseconds, until the returned function is called. */
  watch(check: (nowMs: number) => void): () => void;
  stop(): void;
}

export function createSweeper(everyMs: number): Sweeper {
  const checks = new Set<(nowMs: number) => void>();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    for (const check of checks) check(nowMs);
  }, everyMs);
  timer.unref();
  return {
    watch(check) {
      checks.add(check);
      return () => checks.delete(check);
    },
    stop() {
      clearInterval(timer);
      checks.clear();
    },
  };
}
