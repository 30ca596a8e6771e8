/** How a plain HTTP request becomes a message, and a message an answer, over both versions of HTTP. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { httpVersions, overHttp1 } from "./ask.ts";
import { makeService } from "./made-service.ts";
import { startThingsGateway, type ThingsGateway } from "./things-gateway.ts";

let things: ThingsGateway;
beforeAll(async () => {
  const service = makeService({
    Put: {
      input: "Everything",
      rule: {
        pattern: { case: "post", value: "/things/put" },
        body: "*",
        additionalBindings: [{ pattern: { case: "put", value: "/things/{display_name}/again" }, body: "*" }],
      },
    },
    Find: {
      rule: {
        pattern: { case: "get", value: "/things/of/{display_name}" },
        additionalBindings: [{ pattern: { case: "delete", value: "/things" } }],
      },
    },
    Bare: {},
  });
  things = await startThingsGateway(service);
});
afterAll(() => things.close());

/** What an answer has besides the fields that a test is about. */
const empty = {
  displayName: "",
  itemCount: 0,
  bigNumber: "0",
  weight: 0,
  isReady: false,
  rawData: "",
  color: "DEEP_COLOR_UNSPECIFIED",
  tagNames: [],
  otherColors: [],
  moreThings: [],
  items: [],
  colorNames: {},
};

describe.each(httpVersions)("over %s", (_version, ask) => {
  const put = (body: unknown, headers?: Record<string, string>) =>
    ask(things.port, { path: "/things/put", body, ...(headers && { headers }) });
  const find = (pathAndQuery: string) => ask(things.port, { path: `/things/of/${pathAndQuery}` });

  describe("a body", () => {
    test("is protobuf JSON in camelCase, and so is the answer, with what is empty", async () => {
      const body = {
        displayName: "ada",
        itemCount: 3,
        bigNumber: "9007199254740993",
        weight: 1.5,
        isReady: true,
        rawData: "AAE=",
        color: "DEEP_COLOR_RED",
        tagNames: ["a", "b"],
        otherColors: ["DEEP_COLOR_DARK_BLUE"],
        innerThing: { displayName: "in" },
        moreThings: [{ itemCount: 1 }],
        items: [],
        colorNames: { night: "DEEP_COLOR_DARK_BLUE" },
        document: { any: ["thing", null, { at: 1 }] },
        createTime: "2030-01-31T12:00:00Z",
      };
      const answer = await put(body);
      expect(answer.status).toBe(200);
      expect(answer.headers["content-type"]).toBe("application/json");
      expect(answer.headers["content-length"]).toBe(String(Buffer.byteLength(answer.text)));
      expect(answer.headers["cache-control"]).toBe("no-store"); // there may be tokens in it
      expect(answer.headers["x-content-type-options"]).toBe("nosniff");
      expect(answer.json).toEqual({
        ...body,
        innerThing: { ...empty, displayName: "in" },
        moreThings: [{ ...empty, itemCount: 1 }],
      });
    });

    test("that is empty is an empty message", async () => {
      for (const body of [undefined, "", "{}", " {} "]) {
        const answer = await ask(things.port, { method: "POST", path: "/things/put", body });
        expect(answer).toMatchObject({ status: 200, json: empty });
      }
    });

    test("in snake_case is read the same, and answered under both names at every depth", async () => {
      const answer = await put({
        display_name: "ada",
        inner_thing: { item_count: 2, more_things: [{ is_ready: true }] },
        inner: { tag_names: ["t"] },
        items: [{ item_count: 5 }],
        document: { some_key: 1 },
      });
      expect(answer.json).toMatchObject({
        displayName: "ada",
        display_name: "ada",
        innerThing: { itemCount: 2, moreThings: [{ isReady: true }] },
        inner_thing: { item_count: 2, more_things: [{ is_ready: true, tag_names: [] }] },
        inner: { tagNames: ["t"], tag_names: ["t"] },
        items: [{ itemCount: 5, item_count: 5 }],
        colorNames: {},
        color_names: {},
        document: { some_key: 1 },
      });
    });

    test("with one snake_case name within a nested message is answered under both names", async () => {
      const nested = await put({ displayName: "a", innerThing: { item_count: 1 } });
      expect(nested.json).toMatchObject({ displayName: "a", display_name: "a" });
    });

    test.each([
      ["camelCase", { displayName: "a", itemCount: 1 }],
      ["names of one word only", { color: "RED" }],
      ["snake_case only in what is no field", { other_member: 1, document: { in_snake: 1 } }],
    ])("in %s is answered in camelCase alone", async (_, body) => {
      expect(Object.keys((await put(body)).json as object).filter((name) => name.includes("_"))).toEqual([]);
    });

    test("may have members that no field has, at every depth", async () => {
      const answer = await put({
        displayName: "a",
        words: [{ w: 1 }],
        __proto__x: 1,
        innerThing: { extra: { deep: true }, itemCount: 1 },
      });
      expect(answer.json).toEqual({
        ...empty,
        displayName: "a",
        innerThing: { ...empty, itemCount: 1 },
      });
    });

    test("named __proto__ or constructor changes nothing", async () => {
      const answer = await put('{"__proto__":{"displayName":"x"},"constructor":{"itemCount":1}}');
      expect(answer).toMatchObject({ status: 200, json: empty });
      const kept = await put('{"document":{"__proto__":{"a":1}},"display_name":"b"}');
      expect(kept.text).toContain('"document":{"__proto__":{"a":1}}');
    });

    test("with null is as if the member was not there", async () => {
      const nulls = { displayName: null, color: null, tagNames: null, innerThing: null, colorNames: null };
      expect(await put(nulls)).toMatchObject({ status: 200, json: empty });
    });

    test.each([
      ["DEEP_COLOR_DARK_BLUE"],
      ["deep_color_dark_blue"],
      ["DARK_BLUE"],
      ["dark_blue"],
      ["Dark_Blue"],
      [2],
    ])("takes %s for the enum value, wherever it stands", async (value) => {
      const answer = await put({
        color: value,
        otherColors: [value],
        colorNames: { a: value },
        innerThing: { color: value },
      });
      const blue = "DEEP_COLOR_DARK_BLUE";
      expect(answer.json).toMatchObject({
        color: blue,
        otherColors: [blue],
        colorNames: { a: blue },
        innerThing: { color: blue },
      });
    });

    test("keeps an enum number that has no name: the rules of the field judge it", async () => {
      expect((await put({ color: 77 })).json).toMatchObject({ color: 77 });
    });

    test.each<[string, Record<string, string>]>([
      ["no content type", { "content-type": "" }],
      ["a charset", { "content-type": "application/json; charset=utf-8" }],
      ["a charset in capitals and quotes", { "content-type": 'Application/JSON;charset="UTF-8"' }],
      ["another parameter", { "content-type": "application/json; version=1" }],
      ["an encoding that changes nothing", { "content-encoding": "identity" }],
    ])("may come with %s", async (_, headers) => {
      expect(await put({ displayName: "a" }, headers)).toMatchObject({ status: 200 });
    });

    test("may begin with a byte order mark", async () => {
      expect(await put('\u{feff}{"displayName":"a"}')).toMatchObject({ json: { displayName: "a" } });
    });
  });

  describe("a path", () => {
    test.each([
      ["ada", "ada"],
      ["a%20b", "a b"],
      ["a%2Fb", "a/b"],
      ["a+b", "a+b"],
      ["%E2%82%AC", "€"],
      ["auth0%7C12", "auth0|12"],
      ["...", "..."],
      ["%2525", "%25"],
      ["a?", "a"],
    ])("that says %s means %s", async (encoded, meant) => {
      expect(await find(encoded)).toMatchObject({ status: 200, json: { displayName: meant } });
    });

    test.each(["%", "%zz", "%e", "%ff", "%c0%af", "%ed%a0%80"])(
      "that says %s is refused",
      async (encoded) => {
        const answer = await find(encoded);
        expect(answer).toMatchObject({
          status: 400,
          json: { message: "{display_name} in the path: not percent-encoded UTF-8" },
        });
      },
    );

    test.each(["", ".", "..", "%2e", "%2E%2e", ".%2e", "a/b", "a/"])(
      "that says %j is not found",
      async (rest) => {
        expect(await find(rest)).toMatchObject({ status: 404 });
      },
    );

    test.each([
      "/Things/put",
      "/things/put/",
      "//things/put",
      "/things//put",
      "/things/./put",
      "/things/pu%74",
    ])("%s is another one", async (path) => {
      const { status } = await ask(things.port, { path, body: {} });
      expect(path.startsWith("//") ? 400 : 404).toBe(status);
    });

    test("says more than the body or the query does of its field", async () => {
      const body = { displayName: "other", item_count: 4 };
      const again = await ask(things.port, { method: "PUT", path: "/things/ada/again", body });
      expect(again.json).toMatchObject({ displayName: "ada", itemCount: 4 });
      const snake = await ask(things.port, {
        method: "PUT",
        path: "/things/ada/again",
        body: { display_name: "other" },
      });
      expect(snake.json).toMatchObject({ displayName: "ada" });
      expect((await find("ada?display_name=other&displayName=x")).json).toMatchObject({ displayName: "ada" });
    });
  });

  describe("a query", () => {
    test("has scalars, enums and lists, in either spelling", async () => {
      const query =
        "itemCount=-3&big_number=9007199254740993&weight=1.5e3&is_ready=true&rawData=AAE%3D&color=dark_blue" +
        "&tag_names=a+b&tag_names=c%26d&otherColors=1&otherColors=red";
      const expected = {
        ...empty,
        displayName: "ada",
        itemCount: -3,
        bigNumber: "9007199254740993",
        weight: 1500,
        isReady: true,
        rawData: "AAE=",
        color: "DEEP_COLOR_DARK_BLUE",
        tagNames: ["a b", "c&d"],
        otherColors: ["DEEP_COLOR_RED", "DEEP_COLOR_RED"],
      };
      expect((await find(`ada?${query}`)).json).toMatchObject(expected);
    });

    test("in camelCase is answered in camelCase, in snake_case under both names", async () => {
      expect((await find("ada?itemCount=1")).json).toEqual({ ...empty, displayName: "ada", itemCount: 1 });
      expect((await find("ada?item_count=1")).json).toMatchObject({ itemCount: 1, item_count: 1 });
    });

    test("may have parameters that no field has", async () => {
      expect(await find("ada?utm_source=x&_=17&&=&flag")).toMatchObject({ status: 200 });
    });

    test("of a method without a body other than GET is read as well", async () => {
      const answer = await ask(things.port, { method: "DELETE", path: "/things?itemCount=2" });
      expect(answer.json).toMatchObject({ itemCount: 2 });
    });

    test("beside a body says nothing", async () => {
      const answer = await ask(things.port, { path: "/things/put?itemCount=2", body: { displayName: "a" } });
      expect(answer.json).toMatchObject({ displayName: "a", itemCount: 0 });
    });

    test.each([
      ["itemCount=1&itemCount=1", "item_count: send it once"],
      ["itemCount=1&item_count=1", "item_count: send it once"],
      ["itemCount=x", "item_count: send a whole number within its range"],
      ["itemCount=", "item_count: send a whole number within its range"],
      ["itemCount=3000000000", "item_count: send a whole number within its range"],
      ["is_ready=yes", "is_ready: send true or false"],
      ["is_ready", "is_ready: send true or false"],
      ["color=pink", "color: send one of RED, DARK_BLUE"],
      ["otherColors=", "other_colors: send one of RED, DARK_BLUE"],
      ["rawData=%00", "raw_data: send text in base64"],
      ["weight=1,5", "weight: send a number"],
      ["tagNames=%zz", "query: not percent-encoded UTF-8"],
      ["%ff=1", "query: not percent-encoded UTF-8"],
    ])("%s is refused", async (query, message) => {
      expect(await find(`ada?${query}`)).toMatchObject({
        status: 400,
        json: { code: "invalid_argument", message },
      });
    });
  });

  test("a GET with a body, which says nothing, is answered, and the connection goes on", async () => {
    const answer = await ask(things.port, {
      method: "GET",
      path: "/things/of/ada",
      body: { displayName: "other" },
    });
    expect(answer).toMatchObject({ status: 200, json: { displayName: "ada" } });
  });

  test("HEAD is GET without the body", async () => {
    const [get, head] = await Promise.all([
      find("ada"),
      ask(things.port, { method: "HEAD", path: "/things/of/ada" }),
    ]);
    expect(head).toMatchObject({ status: 200, text: "" });
    expect(head.headers["content-length"]).toBe(get.headers["content-length"]);
    expect(head.headers["content-type"]).toBe("application/json");
    const error = await ask(things.port, { method: "HEAD", path: "/things/of/fail:NotFound" });
    expect(error).toMatchObject({ status: 404, text: "" });
    const wrongMethod = await ask(things.port, { method: "HEAD", path: "/things/put" });
    expect(wrongMethod).toMatchObject({ status: 405, text: "" });
    await expect.poll(() => things.gateway.callsInFlight()).toBe(0);
    expect(things.lines.filter(({ level }) => (level as number) >= 50)).toEqual([]);
  });

  test("the RPC's own path and its other protocols stay", async () => {
    const rpc = await ask(things.port, { path: "/test.v1.Things/Put", body: { displayName: "a" } });
    expect(rpc.json).toEqual({ displayName: "a" }); // Connect leaves out what is empty
    expect(await ask(things.port, { path: "/test.v1.Things/Bare", body: {} })).toMatchObject({ status: 200 });
  });
});

test("an answer that is longer than the server may send is RESOURCE_EXHAUSTED", async () => {
  const service = makeService({ Put: { rule: { pattern: { case: "post", value: "/put" }, body: "*" } } });
  const small = await startThingsGateway(service, { limits: { writeMaxBytes: 300 } });
  try {
    const ask = (displayName: string) => overHttp1(small.port, { path: "/put", body: { displayName } });
    expect(await ask("x")).toMatchObject({ status: 200 });
    expect(await ask("x".repeat(300))).toMatchObject({
      status: 429,
      json: { code: "resource_exhausted", message: "the answer is longer than 300 bytes" },
    });
  } finally {
    await small.close();
  }
});
