/** /health, /health/live and /health/ready over plain HTTP, for load balancers and people. Open to anybody. */
import type { HttpRequest, HttpResponse } from "../listener/create-listener.ts";
import { answerJson } from "../adapter/answer.ts";
import { reset } from "../adapter/call-tracker.ts";
import type { HealthMonitor } from "./health-monitor.ts";

export type HealthPage = (request: HttpRequest, response: HttpResponse) => void;

/** The pages by path. `live` is true whenever this answers; readiness decides between 200 and 503. */
export function createHealthPages(monitor: HealthMonitor): Record<string, HealthPage> {
  const ready: HealthPage = (request, response) => {
    monitor
      .report()
      .then((report) => {
        answerJson(request, response, report.ready ? 200 : 503, {
          status: report.ready ? "ok" : "not_ready",
          live: true,
          ready: report.ready,
          dependencies: report.dependencies,
        });
      })
      .catch(() => {
        // A report that cannot be written as JSON: the probe sees a broken answer, which is "not ready" too.
        reset(request, response);
      });
  };
  return {
    "/health": ready,
    "/health/ready": ready,
    "/health/live": (request, response) => {
      answerJson(request, response, 200, { status: "ok", live: true });
    },
  };
}
