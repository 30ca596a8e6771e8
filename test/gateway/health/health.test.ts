/** Health in its two languages, and what each says when the parts are ready, not ready, failing or silent. */
import { createClient, Code, ConnectError } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, describe, expect, test } from "vitest";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "../../../gen/ts/grpc/health/v1/health_pb.ts";
import type { HealthReport } from "../../../src/gateway/health/health-monitor.ts";
import { startEchoGateway, type EchoGateway } from "../echo-gateway.ts";

let echo: EchoGateway;
afterEach(() => echo.close());

const up: HealthReport = { ready: true, dependencies: { database: { ready: true, detail: "answers" } } };
const down: HealthReport = { ready: false, dependencies: { database: { ready: false, detail: "gone" } } };
const start = async (health: () => HealthReport | Promise<HealthReport>) => {
  echo = await startEchoGateway({ health, limits: { healthTimeoutMs: 50, healthPollMs: 10 } });
  return createClient(Health, createGrpcTransport({ baseUrl: echo.url }));
};

describe("over HTTP", () => {
  test("ready", async () => {
    await start(() => up);
    for (const path of ["/health", "/health/ready"]) {
      const response = await fetch(echo.url + path);
      expect(response.status).toBe(200);
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(await response.json()).toEqual({ status: "ok", live: true, ...up });
    }
  });

  test("not ready is 503, yet live", async () => {
    await start(() => down);
    const response = await fetch(`${echo.url}/health`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: "not_ready", live: true, ...down });
    const live = await fetch(`${echo.url}/health/live?probe=1`);
    expect(live.status).toBe(200);
    expect(await live.json()).toEqual({ status: "ok", live: true });
  });

  test.each([
    [
      "fails",
      () => {
        throw new Error("postgres://user:secret@db");
      },
    ],
    ["rejects", () => Promise.reject(new Error("postgres://user:secret@db"))],
    ["never answers", () => new Promise<HealthReport>(() => undefined)],
  ])("a check that %s is not ready, and its cause is not told", async (_name, health) => {
    await start(health);
    const response = await fetch(`${echo.url}/health`);
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain("secret");
  });

  test("HEAD has the status and no body; POST is 405", async () => {
    await start(() => up);
    const head = await fetch(`${echo.url}/health`, { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe("");
    const post = await fetch(`${echo.url}/health`, { method: "POST", body: "{}" });
    expect(post.status).toBe(405);
    expect(post.headers.get("allow")).toBe("GET, HEAD");
  });

  test("many who ask at once are one question to the parts", async () => {
    const gate = Promise.withResolvers<HealthReport>();
    let asked = 0;
    await start(() => {
      asked++;
      return gate.promise;
    });
    const answers = Array.from({ length: 10 }, () => fetch(`${echo.url}/health`));
    await expect.poll(() => echo.gateway.callsInFlight()).toBe(10);
    gate.resolve(up);
    await Promise.all(answers);
    expect(asked).toBe(1);
  });
});

describe("over grpc.health.v1", () => {
  test("Check answers for the server and each service, and NOT_FOUND for others", async () => {
    const client = await start(() => up);
    expect((await client.check({})).status).toBe(Status.SERVING);
    const service = "parley.transcription.v1.TranscriptionService";
    expect((await client.check({ service })).status).toBe(Status.SERVING);
    const error = await client
      .check({ service: "no.Such" })
      .catch((reason: unknown) => ConnectError.from(reason));
    expect(error).toMatchObject({ code: Code.NotFound });
  });

  test("List names every service", async () => {
    const client = await start(() => down);
    const { statuses } = await client.list({});
    expect(Object.keys(statuses).sort()).toEqual([
      "",
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "parley.transcription.v1.TranscriptionService",
    ]);
    expect(statuses[""]?.status).toBe(Status.NOT_SERVING);
  });

  test("Watch tells the state and each change of it, to one who watches after the other", async () => {
    let report = up;
    const client = await start(() => report);
    const watch = async () => {
      const seen: Status[] = [];
      const abort = new AbortController();
      try {
        for await (const { status } of client.watch({}, { signal: abort.signal })) {
          seen.push(status);
          report = status === Status.SERVING ? down : up;
          if (seen.length === 3) abort.abort();
        }
      } catch (reason) {
        expect(ConnectError.from(reason).code).toBe(Code.Canceled);
      }
      return seen;
    };
    const expected = [Status.SERVING, Status.NOT_SERVING, Status.SERVING];
    expect(await watch()).toEqual(expected);
    // The one before has left; its going ends nothing for the next.
    report = up;
    expect(await watch()).toEqual(expected);
    await expect.poll(() => echo.gateway.callsInFlight()).toBe(0);
  });

  test("Watch of an unknown service says so and stays", async () => {
    const client = await start(() => up);
    const abort = new AbortController();
    const watch = client.watch({ service: "no.Such" }, { signal: abort.signal })[Symbol.asyncIterator]();
    expect((await watch.next()).value).toMatchObject({ status: Status.SERVICE_UNKNOWN });
    expect(echo.gateway.callsInFlight()).toBe(1);
    const next = watch.next().catch(() => "ended");
    abort.abort();
    expect(await next).toBe("ended");
  });
});
