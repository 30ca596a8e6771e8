/**
 * Whether this server is ready, asked of the parts at most once at a time, and told to those who watch. Never caches an
 * answer; after `stop` the answer is "not ready", for good.
 */

export interface DependencyHealth {
  ready: boolean;
  /** For an operator; seen by anybody, so without addresses or secrets. */
  detail: string;
}

export interface HealthReport {
  ready: boolean;
  dependencies: Record<string, DependencyHealth>;
}

export interface HealthMonitor {
  /** Never rejects: a question that fails or takes too long is "not ready". */
  report(): Promise<HealthReport>;
  /** Calls `onAnswer` with the readiness now, and each time it was asked for again, until the returned function is called. */
  watch(onAnswer: (ready: boolean) => void): () => void;
  /** Tells the watchers "not ready", and answers that from now on. */
  stop(): void;
  readonly stopped: AbortSignal;
}

export interface HealthMonitorOptions {
  health: () => HealthReport | Promise<HealthReport>;
  timeoutMs: number;
  pollMs: number;
}

export function createHealthMonitor(options: HealthMonitorOptions): HealthMonitor {
  const stopping = new AbortController();
  const watchers = new Set<(ready: boolean) => void>();
  let asking: Promise<HealthReport> | undefined;
  let poll: NodeJS.Timeout | undefined;
  let lastReady: boolean | undefined;

  const report = async (): Promise<HealthReport> => {
    asking ??= ask(options).finally(() => {
      asking = undefined;
    });
    const answer = await asking;
    return stopping.signal.aborted ? { ready: false, dependencies: answer.dependencies } : answer;
  };
  const tell = async () => {
    const { ready } = await report();
    if (stopping.signal.aborted) return;
    lastReady = ready;
    for (const watcher of watchers) watcher(ready);
  };
  const endPoll = () => {
    clearInterval(poll);
    poll = undefined;
    lastReady = undefined;
  };

  return {
    report,
    stopped: stopping.signal,
    watch(onAnswer) {
      watchers.add(onAnswer);
      if (stopping.signal.aborted) onAnswer(false);
      else if (lastReady !== undefined) onAnswer(lastReady);
      else void tell();
      if (poll === undefined && !stopping.signal.aborted) {
        poll = setInterval(() => void tell(), options.pollMs);
        poll.unref();
      }
      return () => {
        watchers.delete(onAnswer);
        if (watchers.size === 0) endPoll();
      };
    },
    stop() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      endPoll();
      for (const watcher of watchers) watcher(false);
    },
  };
}

async function ask(options: HealthMonitorOptions): Promise<HealthReport> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<HealthReport>((resolve) => {
    timer = setTimeout(() => {
      resolve(notReady(`no answer within ${options.timeoutMs} ms`));
    }, options.timeoutMs);
    timer.unref();
  });
  try {
    return await Promise.race([(async () => options.health())(), late]);
  } catch {
    // The cause may hold an address or a password; the parts log it themselves.
    return notReady("the check failed");
  } finally {
    clearTimeout(timer);
  }
}

function notReady(detail: string): HealthReport {
  return { ready: false, dependencies: { server: { ready: false, detail } } };
}
