/**
 * grpc.health.v1: Check, Watch and List over the health monitor, for "" (the server) and for each service it has. Every
 * service is as ready as the server. Open to anybody.
 */
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { Health } from "../../../gen/ts/grpc/health/v1/health_pb.ts";
import { HealthCheckResponse_ServingStatus as Status } from "../../../gen/ts/grpc/health/v1/health_pb.ts";
import type { HealthMonitor } from "./health-monitor.ts";

export function createHealthService(
  monitor: HealthMonitor,
  serviceNames: readonly string[],
): ServiceImpl<typeof Health> {
  const known = new Set(["", ...serviceNames]);
  const statusNow = async () => statusOf((await monitor.report()).ready);
  return {
    async check(request) {
      if (!known.has(request.service)) throw new ConnectError("no such service", Code.NotFound);
      return { status: await statusNow() };
    },
    async list() {
      const status = await statusNow();
      return { statuses: Object.fromEntries([...known].map((name) => [name, { status }])) };
    },
    watch: (request, context) =>
      known.has(request.service)
        ? watchStatus(monitor, context.signal)
        : watchUnknown(AbortSignal.any([context.signal, monitor.stopped])),
  };
}

function statusOf(ready: boolean): Status {
  return ready ? Status.SERVING : Status.NOT_SERVING;
}

/** The status now and at each change; ends after NOT_SERVING when the server stops, or with the client. */
async function* watchStatus(monitor: HealthMonitor, signal: AbortSignal): AsyncGenerator<{ status: Status }> {
  let current: boolean | undefined;
  let sent: boolean | undefined;
  let wake: () => void = () => undefined;
  const unwatch = monitor.watch((ready) => {
    current = ready;
    wake();
  });
  const onAbort = () => {
    // The generator may be blocked on a write that never comes back: let go here, not only below.
    unwatch();
    wake();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for (;;) {
      if (current !== undefined && current !== sent) {
        sent = current;
        yield { status: statusOf(current) };
        continue;
      }
      if (signal.aborted || monitor.stopped.aborted) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    unwatch();
    signal.removeEventListener("abort", onAbort);
  }
}

/** The protocol wants a watcher of an unknown service to be told so and kept: it may be added later. */
async function* watchUnknown(end: AbortSignal): AsyncGenerator<{ status: Status }> {
  yield { status: Status.SERVICE_UNKNOWN };
  if (end.aborted) return;
  await new Promise<void>((resolve) => {
    end.addEventListener("abort", () => resolve(), { once: true });
  });
}
