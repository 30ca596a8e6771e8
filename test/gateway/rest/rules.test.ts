/** What is read from `google.api.http` at start, and what is refused then. */
import { describe, expect, test } from "vitest";
import { AnalysisService } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { TokenService } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import { TranscriptionService } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { createGateway, type GatewayOptions } from "../../../src/gateway/create-gateway.ts";
import { readRules } from "../../../src/gateway/rest/read-rules.ts";
import { silentLog } from "../../storage/silent-log.ts";
import { makeService, rpcOf, type MadeRpc } from "./made-service.ts";

/** Builds a gateway and never listens. */
function build(rpcs: Readonly<Record<string, MadeRpc>>, options: Partial<GatewayOptions> = {}): void {
  createGateway({
    routes: (router) => {
      router.service(makeService(rpcs), {});
    },
    interceptors: [],
    health: () => ({ ready: true, dependencies: {} }),
    descriptors: [],
    allowedOrigins: [],
    log: silentLog,
    ...options,
  });
}

test("Parley's own services have the paths of the old systems, and no others", () => {
  const paths = [TokenService, TranscriptionService, AnalysisService].flatMap((service) =>
    service.methods.flatMap((method) =>
      readRules(method).map(({ httpMethod, path }) => `${httpMethod} ${path.text} ${method.name}`),
    ),
  );
  expect(paths).toEqual([
    "POST /api/livekit/token CreateSessionTokens",
    "POST /api/transcription/token CreateTranscriptionToken",
    "POST /token/room CreateLiveKitToken",
    "POST /token/join CreateLiveKitToken",
    "POST /api/jitsi/generate-token CreateJitsiToken",
    "POST /token/validate ValidateToken",
    "GET /livekit/status GetLiveKitStatus",
    "GET /stats GetStats",
    "POST /api/interviews/analyze AnalyzeInterview",
    "POST /api/user_modules/save SaveUserModule",
    "GET /user_modules/user/{user_id} ListUserModules",
  ]);
});

test("every HTTP method of the annotation is read, with and without a body", () => {
  const rule = (pattern: "get" | "put" | "post" | "delete" | "patch", body = "") =>
    readRules(rpcOf(makeService({ Do: { rule: { pattern: { case: pattern, value: "/a" }, body } } }), "Do"));
  expect(rule("get")).toMatchObject([{ httpMethod: "GET", takesBody: false }]);
  expect(rule("put", "*")).toMatchObject([{ httpMethod: "PUT", takesBody: true }]);
  expect(rule("post")).toMatchObject([{ httpMethod: "POST", takesBody: false }]);
  expect(rule("delete")).toMatchObject([{ httpMethod: "DELETE", takesBody: false }]);
  expect(rule("patch", "*")).toMatchObject([{ httpMethod: "PATCH", takesBody: true }]);
});

test("an RPC without a rule has no path", () => {
  expect(readRules(rpcOf(makeService({ Do: {} }), "Do"))).toEqual([]);
});

describe("at start, with the name of the RPC, is refused", () => {
  const get = (path: string): MadeRpc => ({ rule: { pattern: { case: "get", value: path } } });
  test.each<[string, MadeRpc, string]>([
    ["an RPC that streams to the client", { ...get("/a"), streams: "server" }, "one message each way"],
    ["an RPC that streams to the server", { ...get("/a"), streams: "client" }, "one message each way"],
    [
      "a body of one field",
      { rule: { pattern: { case: "post", value: "/a" }, body: "color" } },
      'body "color"',
    ],
    [
      "a GET with a body",
      { rule: { pattern: { case: "get", value: "/a" }, body: "*" } },
      "get takes no body",
    ],
    [
      "an answer of one field",
      { rule: { pattern: { case: "get", value: "/a" }, responseBody: "color" } },
      "response_body",
    ],
    [
      "a method of one's own",
      { rule: { pattern: { case: "custom", value: { kind: "HEAD", path: "/a" } } } },
      "none of get, put, post",
    ],
    [
      "a binding without a pattern",
      { rule: { pattern: { case: "get", value: "/a" }, additionalBindings: [{}] } },
      "none of get, put, post",
    ],
    [
      "a binding of a binding",
      {
        rule: {
          pattern: { case: "get", value: "/a" },
          additionalBindings: [
            {
              pattern: { case: "get", value: "/b" },
              additionalBindings: [{ pattern: { case: "get", value: "/c" } }],
            },
          ],
        },
      },
      "bindings of its own",
    ],
    ["a message that no query can hold", { ...get("/a"), input: "Everything" }, "inner_thing"],
    ["a relative path", get("a"), 'does not begin with "/"'],
    ["an empty segment", get("/a//b"), '"" in "/a//b"'],
    ["a trailing slash", get("/a/"), '"" in "/a/"'],
    ["a wildcard", get("/a/*"), '"*"'],
    ["a wildcard of many segments", get("/a/**"), '"**"'],
    ["a variable with a pattern", get("/a/{display_name=b/*}"), "neither a plain name nor a {field}"],
    ["a variable of a field within", get("/a/{inner.name}"), '"{inner.name}"'],
    ["a verb", get("/a/{display_name}:run"), '"{display_name}:run"'],
    ["a dot segment", get("/a/../b"), '".."'],
    ["a variable twice", get("/{display_name}/{display_name}"), "twice"],
    ["a variable that is no field", get("/{unknown}"), "{unknown} is not a string field"],
    ["a variable that is no string", get("/{item_count}"), "{item_count} is not a string field"],
    ["a variable that is a list", get("/{tag_names}"), "{tag_names} is not a string field"],
  ])("%s", (_, rpc, problem) => {
    expect(() => build({ Do: rpc })).toThrow("google.api.http of test.v1.Things.Do: ");
    expect(() => build({ Do: rpc })).toThrow(problem);
  });

  test.each([
    ["/a/b", "/a/b"],
    ["/a/{display_name}", "/a/{display_name}"],
    ["/a/{display_name}", "/a/b"],
    ["/a/{display_name}", "/{display_name}/b"],
  ])("what %s and %s both match", (one, other) => {
    expect(() => build({ One: get(one), Other: get(other) })).toThrow(
      `test.v1.Things.Other and test.v1.Things.One both have GET ${other}`,
    );
  });

  test.each([
    ["/a/{display_name}", "/a/{display_name}/b"],
    ["/a/b", "/a/c"],
  ])("%s beside %s is not", (one, other) => {
    expect(() => build({ One: get(one), Other: get(other) })).not.toThrow();
  });

  test.each(["/health", "/keys.json", "/{display_name}", "/test.v1.Things/Do"])(
    "%s, where something else answers",
    (path) => {
      const documents = { "/keys.json": () => ({ body: {}, maxAgeSeconds: 1 }) };
      expect(() => build({ Do: get(path) }, { documents })).toThrow(
        "is no path for test.v1.Things.Do: it is taken",
      );
    },
  );

  test("an old member of a message that no path has, and one that stands for no field", () => {
    const post: MadeRpc = { rule: { pattern: { case: "post", value: "/a" }, body: "*" } };
    const oldMembers = (type: string, field: string) => ({
      oldMembers: { [type]: [{ member: "old", field }] },
    });
    expect(() => build({ Do: post }, oldMembers("test.v1.Scalars", "color"))).not.toThrow();
    expect(() => build({ Do: post }, oldMembers("test.v1.Everything", "inner_thing"))).not.toThrow();
    expect(() => build({ Do: post }, oldMembers("test.v1.Nothing", "color"))).toThrow("test.v1.Nothing");
    expect(() => build({ Do: {} }, oldMembers("test.v1.Scalars", "color"))).toThrow("test.v1.Scalars");
    expect(() => build({ Do: post }, oldMembers("test.v1.Scalars", "colour"))).toThrow("colour");
  });
});
