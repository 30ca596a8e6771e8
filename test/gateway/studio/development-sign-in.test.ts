/** The sign-in for developers: for a page of this server on this machine, and for nobody who only looks like one. */
import { request } from "node:http";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createStudio } from "../../../src/gateway/studio/create-studio.ts";
import { isLocal } from "../../../src/gateway/studio/local-request.ts";
import type { HttpRequest } from "../../../src/gateway/listener/create-listener.ts";
import { startEchoGateway, type EchoGateway } from "../echo-gateway.ts";

let echo: EchoGateway;
let issued: string[] = [];
let refused: string[] = [];
beforeAll(async () => {
  const studio = createStudio({
    files: undefined,
    indexPage: () => "",
    developmentSignIn: {
      issueToken(userId) {
        issued.push(userId);
        return { token: `token of ${userId}`, expireTime: new Date(0) };
      },
      onRefused: (reason) => void refused.push(reason),
    },
  });
  echo = await startEchoGateway({ fallback: studio, allowedOrigins: ["*"] });
});
afterAll(() => echo.close());
beforeEach(() => {
  issued = [];
  refused = [];
});

interface Ask {
  readonly method?: string;
  readonly host?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly path?: string;
}

/** As the studio's own page asks, at `http://localhost:PORT`, but for what is given; an empty header is left out. */
function ask(options: Ask = {}): Promise<{ status: number; body: string }> {
  const { method = "POST", host = `localhost:${echo.port}`, body = '{"userId":"ada"}' } = options;
  const headers = {
    host,
    origin: `http://${host}`,
    "sec-fetch-site": "same-origin",
    "content-type": "application/json",
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        port: echo.port,
        host: "127.0.0.1",
        method,
        path: options.path ?? "/studio/sign-in",
        agent: false,
        headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== "")),
      },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
      },
    );
    asked.on("error", reject);
    asked.end(method === "POST" ? body : undefined);
  });
}
const isDevelopment = async (options: Ask) =>
  (
    JSON.parse((await ask({ ...options, method: "GET", path: "/studio/config.json" })).body) as {
      development: boolean;
    }
  ).development;

test.each(["localhost", "127.0.0.1", "[::1]"])("the studio at http://%s gets a token", async (name) => {
  const host = `${name}:${echo.port}`;
  const { status, body } = await ask({ host });
  expect(status).toBe(200);
  expect(JSON.parse(body)).toEqual({ token: "token of ada", expireTime: "1970-01-01T00:00:00.000Z" });
  expect(issued).toEqual(["ada"]);
  expect(await isDevelopment({ host })).toBe(true);
});

test("browsers that do not say from where they fetch are told by their Origin", async () => {
  expect((await ask({ headers: { "sec-fetch-site": "" } })).status).toBe(200);
});

test.each<[string, Ask, string]>([
  ["a name that was made to point here", { host: "evil.example:3001" }, "elsewhere"],
  ["a name that begins like this machine's", { host: "localhost.evil.example" }, "elsewhere"],
  ["another address", { host: "192.168.0.7:3001" }, "elsewhere"],
  ["a proxy on this machine", { headers: { "x-forwarded-for": "203.0.113.9" } }, "elsewhere"],
  ["a proxy that names itself", { headers: { via: "1.1 edge" } }, "elsewhere"],
  ["a proxy by the standard", { headers: { forwarded: "for=203.0.113.9" } }, "elsewhere"],
  ["another page", { headers: { origin: "https://evil.example" } }, "other_page"],
  ["a page of another port", { headers: { origin: "http://localhost:1" } }, "other_page"],
  ["the same name by another scheme", { headers: { origin: "ftp://localhost" } }, "other_page"],
  ["a sandboxed frame", { headers: { origin: "null" } }, "other_page"],
  ["no page at all", { headers: { origin: "" } }, "other_page"],
  ["a fetch from another site", { headers: { "sec-fetch-site": "cross-site" } }, "other_page"],
  ["a fetch from another port", { headers: { "sec-fetch-site": "same-site" } }, "other_page"],
])("%s gets none, and it is told", async (_, options, reason) => {
  expect((await ask(options)).status).toBe(403);
  expect(issued).toEqual([]);
  expect(refused).toEqual([reason]);
});

test.each<[string, Ask, number]>([
  ["a link", { method: "GET" }, 405],
  ["a form", { headers: { "content-type": "application/x-www-form-urlencoded" } }, 400],
  ["a form that sends text", { headers: { "content-type": "text/plain" } }, 400],
  ["no JSON", { body: "{" }, 400],
  ["null", { body: "null" }, 400],
  ["no name", { body: "{}" }, 400],
  ["an empty name", { body: '{"userId":""}' }, 400],
  ["a name with control characters", { body: JSON.stringify({ userId: "a\u0000b" }) }, 400],
  ["a name that is too long", { body: JSON.stringify({ userId: "a".repeat(65) }) }, 400],
  ["a body that does not end", { body: JSON.stringify({ userId: "a", more: "x".repeat(5000) }) }, 400],
])("%s is refused", async (_, options, status) => {
  expect((await ask(options)).status).toBe(status);
  expect(issued).toEqual([]);
});

test("the page is not offered what it would not get", async () => {
  expect(await isDevelopment({ host: "studio.example" })).toBe(false);
  expect(await isDevelopment({ headers: { "x-forwarded-for": "203.0.113.9" } })).toBe(false);
});

test.each([
  ["127.0.0.1", true],
  ["127.8.9.1", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["192.168.0.7", false],
  ["::ffff:192.168.0.7", false],
  ["2001:db8::1", false],
  ["127.0.0.1.evil", false],
  [undefined, false],
])("a peer at %s is on this machine: %s", (remoteAddress, expected) => {
  const asked = { headers: { host: "localhost:3001" }, socket: { remoteAddress } } as HttpRequest;
  expect(isLocal(asked)).toBe(expected);
});
