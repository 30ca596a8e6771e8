/** That a plain HTTP call goes the way of every other call: gate, deadline, log, shutdown, CORS. */
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, describe, expect, test } from "vitest";
import { received, open } from "../raw-clients.ts";
import { httpVersions, overHttp1 } from "./ask.ts";
import { makeService } from "./made-service.ts";
import { startThingsGateway, type ThingsGateway } from "./things-gateway.ts";

const service = makeService({
  Put: { rule: { pattern: { case: "post", value: "/things/put" }, body: "*" } },
  Find: { rule: { pattern: { case: "get", value: "/things/of/{display_name}" } } },
});
let things: ThingsGateway;
afterEach(() => things.close());

describe.each(httpVersions)("over %s", (_, ask) => {
  test("each call has one line in the log, of the RPC, and no path, query or body", async () => {
    things = await startThingsGateway(service);
    const canary = "canary-9b02";
    await ask(things.port, { path: `/things/of/${canary}?itemCount=1&token=${canary}` });
    await ask(things.port, { path: "/things/put", body: { displayName: canary } });
    await ask(things.port, { path: "/things/of/fail:NotFound" });
    await ask(things.port, { path: "/things/put", body: `{"${canary}` });
    await ask(things.port, { path: `/things/put?${canary}` });
    expect(things.lines).toMatchObject([
      { msg: "call", method: "test.v1.Things/Find", code: "ok", protocol: "rest", peer: "127.0.0.1" },
      { msg: "call", method: "test.v1.Things/Put", code: "ok", protocol: "rest" },
      { msg: "call", method: "test.v1.Things/Find", code: "not_found", protocol: "rest" },
      { msg: "call refused", method: "test.v1.Things/Put", httpStatus: 400 },
      { msg: "call refused", method: "test.v1.Things/Put", httpStatus: 405 },
    ]);
    expect(JSON.stringify(things.lines)).not.toContain(canary);
  });

  test("the call's id is on the answer and in the log", async () => {
    things = await startThingsGateway(service);
    const headers = { "x-request-id": "request-0001" };
    const answer = await ask(things.port, { path: "/things/put", body: {}, headers });
    expect(answer.headers["x-request-id"]).toBe("request-0001");
    expect(things.lines).toMatchObject([{ requestId: "request-0001" }]);
  });

  test("the deadline that the client sets is kept, and one that makes no sense refused", async () => {
    things = await startThingsGateway(service);
    const body = { displayName: "wait" };
    const answer = await ask(things.port, {
      path: "/things/put",
      body,
      headers: { "connect-timeout-ms": "30" },
    });
    expect(answer).toMatchObject({ status: 504, json: { code: "deadline_exceeded" } });
    const bad = await ask(things.port, {
      path: "/things/put",
      body,
      headers: { "connect-timeout-ms": "soon" },
    });
    expect(bad).toMatchObject({ status: 400 });
  });

  test("a server that stops tells a waiting call", async () => {
    things = await startThingsGateway(service);
    const answer = ask(things.port, { path: "/things/put", body: { displayName: "wait" } });
    await things.waiting;
    await things.gateway.stop({ graceMs: 0 });
    expect(await answer).toMatchObject({
      status: 503,
      json: { code: "unavailable", message: "the server is stopping" },
    });
  });

  test("calls in flight are counted and come to an end", async () => {
    things = await startThingsGateway(service);
    const answer = ask(things.port, {
      path: "/things/put",
      body: { displayName: "wait" },
      headers: { "connect-timeout-ms": "200" },
    });
    await things.waiting;
    expect(things.gateway.callsInFlight()).toBe(1);
    await answer;
    await expect.poll(() => things.gateway.callsInFlight()).toBe(0);
  });

  describe("a page of another origin", () => {
    const origin = "https://app.example.org";
    const preflight = (path: string, from: string, method: string) =>
      ask(things.port, {
        method: "OPTIONS",
        path,
        headers: {
          origin: from,
          "access-control-request-method": method,
          "access-control-request-headers": "authorization,content-type",
        },
      });

    test("may ask when it is allowed", async () => {
      things = await startThingsGateway(service);
      for (const [path, method] of [
        ["/things/put", "POST"],
        ["/things/of/ada", "GET"],
      ] as const) {
        const { status, headers } = await preflight(path, origin, method);
        expect(status).toBe(204);
        expect(headers["access-control-allow-origin"]).toBe(origin);
        expect(headers["access-control-allow-methods"]).toContain(method);
        expect(String(headers["access-control-allow-headers"]).toLowerCase()).toContain("authorization");
      }
      expect((await preflight("/things/put", "https://evil.example", "POST")).status).toBe(403);
    });

    test("may read answers and errors, and when to come again", async () => {
      things = await startThingsGateway(service);
      for (const displayName of ["ada", "fail:ResourceExhausted"]) {
        const { headers } = await ask(things.port, {
          path: "/things/put",
          body: { displayName },
          headers: { origin },
        });
        expect(headers["access-control-allow-origin"]).toBe(origin);
        expect(headers["vary"]).toBe("Origin");
        expect(headers["access-control-expose-headers"]).toContain("Retry-After");
      }
    });
  });
});

test("the gate refuses before the body is there", async () => {
  things = await startThingsGateway(service, {
    requestGate: () => {
      throw new ConnectError("not today", Code.PermissionDenied);
    },
  });
  const socket = open(things.port);
  const answer = received(socket, "not today");
  socket.write("POST /things/put HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n");
  expect(await answer).toContain("403 Forbidden");
  socket.destroy();
});

test("a connection is kept for the next call, whatever became of the one before", async () => {
  things = await startThingsGateway(service);
  const socket = open(things.port);
  const send = async (head: string, body: string, until: string) => {
    const answer = received(socket, until);
    socket.write(`${head} HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    await answer;
  };
  await send("POST /things/put", '{"displayName":"one"}', '"one"');
  await send("POST /things/put", "no JSON", "400 Bad Request");
  await send("GET /things/of/two", '{"a":1}', '"two"');
  await send("GET /things/put", "{}", "405 Method Not Allowed");
  await send("POST /things/put", '{"displayName":"three"}', '"three"');
  socket.destroy();
});

test("a client that goes away ends its call", async () => {
  things = await startThingsGateway(service);
  const socket = open(things.port);
  socket.write('POST /things/put HTTP/1.1\r\nhost: a\r\ncontent-length: 22\r\n\r\n{"displayName":"wait"}');
  await things.waiting;
  socket.destroy();
  await expect.poll(() => things.gateway.callsInFlight()).toBe(0);
  await expect.poll(() => things.lines.map(({ code }) => code)).toEqual(["canceled"]);
});

test("HEAD is logged as its GET is", async () => {
  things = await startThingsGateway(service);
  await overHttp1(things.port, { method: "HEAD", path: "/things/of/ada" });
  expect(things.lines).toMatchObject([{ msg: "call", method: "test.v1.Things/Find", code: "ok" }]);
});
