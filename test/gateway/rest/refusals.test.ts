/** What a plain HTTP call is refused with: a status, one shape of body, and nothing of what was sent. */
import { Code } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { exchange } from "../raw-clients.ts";
import { httpVersions, overHttp1 } from "./ask.ts";
import { makeService } from "./made-service.ts";
import { startThingsGateway, type ThingsGateway } from "./things-gateway.ts";

const service = makeService({
  Put: { input: "Everything", rule: { pattern: { case: "post", value: "/things/put" }, body: "*" } },
  Find: {
    rule: {
      pattern: { case: "get", value: "/things/of/{display_name}" },
      additionalBindings: [{ pattern: { case: "delete", value: "/things/of/{display_name}" } }],
    },
  },
});
const maxBytes = 64 * 1024;

let things: ThingsGateway;
beforeAll(async () => {
  things = await startThingsGateway(service, { limits: { unaryReadMaxBytes: maxBytes } });
});
beforeEach(() => {
  things.lines.length = 0;
});
afterAll(() => things.close());

/** Stands in what is sent, and may come back nowhere. */
const canary = "canary-31fe";

describe.each(httpVersions)("over %s", (_, ask) => {
  const put = (body: unknown, headers: Record<string, string> = {}) =>
    ask(things.port, { path: "/things/put", body, headers });

  describe("an error of the RPC", () => {
    test.each<[keyof typeof Code, number, string]>([
      ["Canceled", 499, "Error"],
      ["Unknown", 500, "Internal Server Error"],
      ["InvalidArgument", 400, "Bad Request"],
      ["DeadlineExceeded", 504, "Gateway Timeout"],
      ["NotFound", 404, "Not Found"],
      ["AlreadyExists", 409, "Conflict"],
      ["PermissionDenied", 403, "Forbidden"],
      ["ResourceExhausted", 429, "Too Many Requests"],
      ["FailedPrecondition", 400, "Bad Request"],
      ["Aborted", 409, "Conflict"],
      ["OutOfRange", 400, "Bad Request"],
      ["Unimplemented", 501, "Not Implemented"],
      ["Internal", 500, "Internal Server Error"],
      ["Unavailable", 503, "Service Unavailable"],
      ["DataLoss", 500, "Internal Server Error"],
      ["Unauthenticated", 401, "Unauthorized"],
    ])("of code %s has status %i", async (name, status, error) => {
      const answer = await put({ displayName: `fail:${name}` });
      expect(answer.status).toBe(status);
      expect(answer.headers["content-type"]).toBe("application/json");
      expect(answer.json).toEqual({
        statusCode: status,
        error,
        code: codeToString(Code[name]),
        message: "what went wrong",
      });
      expect(answer.headers["retry-after"]).toBe("7");
      expect(answer.headers["www-authenticate"]).toBe(status === 401 ? "Bearer" : undefined);
    });
  });

  describe("a body that is no JSON object of the request is 400, says so, and repeats nothing:", () => {
    const syntax = "body: send well-formed JSON in UTF-8 that names each member once";
    test.each([
      [canary, syntax],
      [`{"displayName":"${canary}"`, syntax],
      [`{"displayName":'${canary}'}`, syntax],
      [`{"displayName":"${canary}",}`, syntax],
      [`{"displayName":"${canary}"}{}`, syntax],
      [`{"displayName":"${canary}","displayName":"b"}`, syntax],
      [`{"displayName":"${canary}","document":{"a":1,"\\u0061":2}}`, syntax],
      [`{"weight":1e999,"displayName":"${canary}"}`, syntax],
      [`"${canary}"`, "body: send a JSON object"],
      [`["${canary}"]`, "body: send a JSON object"],
      ["null", "body: send a JSON object"],
      [`{"displayName":"${canary}","display_name":"b"}`, "display_name: send it once"],
      [`{"displayName":["${canary}"]}`, "display_name: send a string"],
      [`{"itemCount":"${canary}"}`, "item_count: send a whole number within its range"],
      ['{"itemCount":1.5}', "item_count: send a whole number within its range"],
      [`{"isReady":"${canary}"}`, "is_ready: send true or false"],
      ['{"isReady":1}', "is_ready: send true or false"],
      [`{"rawData":"${canary}!"}`, "raw_data: send text in base64"],
      [`{"color":"${canary}"}`, "color: send one of RED, DARK_BLUE"],
      ['{"color":""}', "color: send one of RED, DARK_BLUE"],
      ['{"color":true}', "color: send one of RED, DARK_BLUE"],
      ['{"color":1.5}', "color: send one of RED, DARK_BLUE"],
      [`{"tagNames":"${canary}"}`, "tag_names: send an array"],
      ['{"tagNames":[1]}', "tag_names: send an array, each item a string"],
      [`{"otherColors":["red","${canary}"]}`, "other_colors: send one of RED, DARK_BLUE"],
      [`{"innerThing":"${canary}"}`, "inner_thing: send an object"],
      [`{"innerThing":{"color":"${canary}"}}`, "inner_thing.color: send one of RED, DARK_BLUE"],
      [`{"moreThings":["${canary}"]}`, "more_things: send an object"],
      [`{"colorNames":{"${canary}":"pink"}}`, "color_names: send one of RED, DARK_BLUE"],
      [`{"colorNames":["${canary}"]}`, "color_names: send an object"],
      [`{"document":"${canary}"}`, "document: send an object"],
      [`{"createTime":"${canary}"}`, "create_time: send a time such as 2030-01-31T12:00:00Z"],
    ])("%s", async (body, message) => {
      const answer = await put(body);
      expect(answer.json).toEqual({
        statusCode: 400,
        error: "Bad Request",
        code: "invalid_argument",
        message,
      });
      expect(JSON.stringify([answer, things.lines])).not.toContain(canary);
    });

    test("bytes that are no UTF-8", async () => {
      const answer = await exchange(
        things.port,
        Buffer.concat([
          Buffer.from(
            "POST /things/put HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 19\r\n\r\n",
          ),
          Buffer.from('{"displayName":"'),
          Buffer.of(0xff),
          Buffer.from('"}'),
        ]),
      );
      expect(answer).toContain("400 Bad Request");
      expect(answer).toContain(syntax);
    });

    test("ten thousand brackets", async () => {
      expect(await put(`{"document":${'{"a":'.repeat(5000)}1${"}".repeat(5000)}}`)).toMatchObject({
        status: 400,
      });
      expect(await put("[".repeat(10_000))).toMatchObject({ status: 400 });
    });
  });

  describe("a body of another kind is 415", () => {
    test.each<[Record<string, string>, string]>([
      [{ "content-type": "application/x-www-form-urlencoded" }, "send content-type application/json"],
      [{ "content-type": "text/plain" }, "send content-type application/json"],
      [{ "content-type": "application/jsonp" }, "send content-type application/json"],
      [{ "content-type": "application/grpc" }, "send content-type application/json"],
      [{ "content-type": "application/json; charset=latin1" }, "send JSON in UTF-8"],
      [{ "content-encoding": "gzip" }, "send the body without content-encoding"],
    ])("%j", async (headers, message) => {
      expect(await put({ displayName: "a" }, headers)).toMatchObject({
        status: 415,
        json: { statusCode: 415, error: "Unsupported Media Type", message },
      });
    });
  });

  describe("a body of too many bytes is 413", () => {
    const refusal = {
      statusCode: 413,
      error: "Payload Too Large",
      code: "resource_exhausted",
      message: `body: send at most ${maxBytes} bytes`,
    };
    const ofSize = (bytes: number) => `{"displayName":"${"x".repeat(bytes - 18)}"}`;

    test("one byte more, and not one less", async () => {
      expect(await put(ofSize(maxBytes))).toMatchObject({ status: 200 });
      expect((await put(ofSize(maxBytes + 1))).json).toEqual(refusal);
    });

    test("also beside a rule that has no body", async () => {
      const answer = await ask(things.port, {
        method: "DELETE",
        path: "/things/of/ada",
        body: ofSize(maxBytes + 1),
      });
      expect(answer.json).toEqual(refusal);
    });
  });

  describe("a method that the path does not take is 405 and told which it takes", () => {
    test.each([
      ["GET", "/things/put", "POST"],
      ["HEAD", "/things/put", "POST"],
      ["PUT", "/things/put", "POST"],
      ["OPTIONS", "/things/put", "POST"],
      ["POST", "/things/of/ada", "GET, HEAD, DELETE"],
      ["PATCH", "/things/of/ada", "GET, HEAD, DELETE"],
    ])("%s %s", async (method, path, allow) => {
      const answer = await ask(things.port, { method, path });
      expect(answer.status).toBe(405);
      expect(answer.headers["allow"]).toBe(allow);
      if (method !== "HEAD") {
        expect(answer.json).toEqual({
          statusCode: 405,
          error: "Method Not Allowed",
          code: "unimplemented",
          message: `this path takes ${allow.replaceAll(", ", " or ")}`,
        });
      }
    });
  });

  test("an unknown path is 404 in the same shape", async () => {
    const answer = await ask(things.port, { path: "/things/unknown", body: {} });
    expect(answer.json).toEqual({
      statusCode: 404,
      error: "Not Found",
      code: "unimplemented",
      message: "no such path: GET /health answers, and server reflection lists the services",
    });
  });

  test("one call more than the server takes is 429 and told when to come again", async () => {
    const full = await startThingsGateway(service, { limits: { maxCallsInFlight: 1 } });
    const first = ask(full.port, { path: "/things/put", body: { displayName: "wait" } });
    await full.waiting;
    const second = await ask(full.port, { path: "/things/of/ada" });
    expect(second).toMatchObject({ status: 429, json: { statusCode: 429, code: "resource_exhausted" } });
    expect(second.headers["retry-after"]).toBe("1");
    await full.close();
    await first;
  });
});

test("a body of unknown length that grows too large is 413", async () => {
  const chunk = `4000\r\n${"x".repeat(0x4000)}\r\n`;
  const answer = await exchange(
    things.port,
    `POST /things/put HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n${chunk.repeat(5)}0\r\n\r\n`,
  );
  expect(answer).toContain("413 Payload Too Large");
});

test("a handler's own failure is an internal error without its words", async () => {
  const broken = await startThingsGateway(service, {
    interceptors: [
      () => () => {
        throw new Error(canary);
      },
    ],
  });
  const answer = await overHttp1(broken.port, { path: "/things/put", body: {} });
  expect(answer.json).toEqual({
    statusCode: 500,
    error: "Internal Server Error",
    code: "internal",
    message: "internal error",
  });
  await broken.close();
});
