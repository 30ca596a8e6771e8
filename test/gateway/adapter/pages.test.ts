/** CORS, the index page, and what browsers are told. */
import { afterEach, expect, test } from "vitest";
import { listSessionsPath, startEchoGateway, type EchoGateway } from "../echo-gateway.ts";

let echo: EchoGateway;
afterEach(() => echo.close());

const origin = "https://app.example.org";
const preflight = (from: string) =>
  fetch(echo.url + listSessionsPath, {
    method: "OPTIONS",
    headers: {
      origin: from,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type,x-grpc-web,grpc-timeout",
    },
  });
const post = (from: string) =>
  fetch(echo.url + listSessionsPath, {
    method: "POST",
    body: "{}",
    headers: { origin: from, "content-type": "application/json" },
  });
const corsHeaders = (response: Response) =>
  [...response.headers.keys()].filter((name) => name.startsWith("access-control-"));

test("an allowed origin may ask and may read", async () => {
  echo = await startEchoGateway();
  const asked = await preflight(origin);
  expect(asked.status).toBe(204);
  expect(asked.headers.get("access-control-allow-origin")).toBe(origin);
  expect(asked.headers.get("access-control-max-age")).toBe("7200");
  const allowed = asked.headers.get("access-control-allow-headers")?.toLowerCase().split(", ");
  expect(allowed).toEqual(
    expect.arrayContaining(["authorization", "content-type", "x-grpc-web", "grpc-timeout"]),
  );
  expect(asked.headers.get("access-control-allow-credentials")).toBeNull();

  const answer = await post(origin);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
  expect(answer.headers.get("vary")).toBe("Origin");
  const exposed = answer.headers.get("access-control-expose-headers")?.toLowerCase().split(", ");
  expect(exposed).toEqual(
    expect.arrayContaining(["grpc-status", "grpc-message", "grpc-status-details-bin", "x-request-id"]),
  );
});

test.each(["https://evil.example", "https://app.example.org.evil.example", "http://app.example.org", "null"])(
  "the origin %s gets no CORS headers",
  async (other) => {
    echo = await startEchoGateway();
    expect(corsHeaders(await preflight(other))).toEqual([]);
    expect(corsHeaders(await post(other))).toEqual([]);
  },
);

test("everybody may call only where * is listed", async () => {
  echo = await startEchoGateway({ allowedOrigins: ["*"] });
  expect((await preflight("https://any.example")).headers.get("access-control-allow-origin")).toBe("*");
});

test("the index page has a policy under which nothing runs, and none is 404", async () => {
  echo = await startEchoGateway({ indexPage: () => "<h1>Parley</h1>" });
  const page = await fetch(`${echo.url}/`);
  expect(await page.text()).toBe("<h1>Parley</h1>");
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  await echo.close();
  echo = await startEchoGateway();
  expect((await fetch(`${echo.url}/`)).status).toBe(404);
});

test("a page that throws is 500 without its reason, and the server goes on", async () => {
  echo = await startEchoGateway({
    indexPage: () => {
      throw new Error("a secret");
    },
  });
  const page = await fetch(`${echo.url}/`);
  expect(page.status).toBe(500);
  expect(await page.text()).not.toContain("secret");
  expect((await fetch(`${echo.url}/health`)).status).toBe(200);
});

test("WebSocket handshakes go to the endpoint at their path; h2c is not one of them", async () => {
  const admitted: string[] = [];
  echo = await startEchoGateway({
    webSocketEndpoints: () => ({
      "/health": {
        async admit({ path }) {
          admitted.push(path);
          return async () => undefined;
        },
      },
    }),
  });
  const { exchange } = await import("../raw-clients.ts");
  const ask = (upgrade: string) =>
    exchange(
      echo.port,
      [
        "GET /health HTTP/1.1",
        "Host: a",
        "Connection: Upgrade, close",
        `Upgrade: ${upgrade}`,
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "\r\n",
      ].join("\r\n"),
    );
  expect(await ask("websocket")).toMatch(/^HTTP\/1\.1 101 /);
  expect(await ask("h2c")).toMatch(/^HTTP\/1\.1 200 /);
  expect(admitted).toEqual(["/health"]);
});
