/** Names under which old clients send what a field holds, and read it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { overHttp1 } from "./ask.ts";
import { makeService } from "./made-service.ts";
import { startThingsGateway, type ThingsGateway } from "./things-gateway.ts";

let things: ThingsGateway;
beforeAll(async () => {
  const rule = { pattern: { case: "post" as const, value: "/things" }, body: "*" };
  things = await startThingsGateway(makeService({ Put: { input: "Everything", output: "Scalars", rule } }), {
    oldMembers: {
      "test.v1.Everything": [
        { member: "title", field: "display_name" },
        { member: "heading", field: "display_name" },
        { member: "legacy.info.kind", field: "color", unless: ["item_count"] },
      ],
      "test.v1.Scalars": [
        { member: "name", field: "display_name" },
        { member: "shade", field: "color" },
      ],
    },
  });
});
afterAll(() => things.close());

const put = async (body: unknown) => {
  const { status, json } = await overHttp1(things.port, { path: "/things", body });
  return { status, json };
};

describe("in a request", () => {
  test.each([
    [{ title: "t" }],
    [{ title: "t", display_name: "" }],
    [{ title: "t", displayName: null }],
    [{ heading: "t", displayName: "" }],
    [{ title: "t", heading: "h" }],
    [{ title: null, heading: "t" }],
  ])("they stand for the field where it is absent or empty: %j", async (body) => {
    expect(await put(body)).toMatchObject({ status: 200, json: { displayName: "t" } });
  });

  test("they may stand within other members, and are read as the field is", async () => {
    expect(await put({ legacy: { info: { kind: "red" } } })).toMatchObject({
      json: { color: "DEEP_COLOR_RED" },
    });
  });

  test.each([[{ displayName: "d" }], [{ display_name: "d" }]])(
    "they yield to the field: %j",
    async (body) => {
      expect(await put({ title: "t", ...body })).toMatchObject({ json: { displayName: "d" } });
    },
  );

  test.each([[{ item_count: 1 }], [{ itemCount: 1 }]])(
    "they mean nothing beside what says more: %j",
    async (body) => {
      const legacy = { info: { kind: "red" } };
      expect(await put({ legacy, ...body })).toMatchObject({ json: { color: "DEEP_COLOR_UNSPECIFIED" } });
    },
  );

  test.each([null, 1, [], "text", { info: "text" }, { info: { kind: null } }, { info: [] }])(
    "that stand elsewhere they are left out: %j",
    async (legacy) => {
      expect(await put({ legacy })).toMatchObject({ status: 200, json: { color: "DEEP_COLOR_UNSPECIFIED" } });
    },
  );

  test("they are held to the type of the field, which a refusal names", async () => {
    expect(await put({ title: 5 })).toMatchObject({
      status: 400,
      json: { message: "display_name: send a string" },
    });
  });

  test("they say nothing about how the client writes names", async () => {
    expect((await put({ title: "t" })).json).not.toHaveProperty("display_name");
  });
});

describe("in an answer", () => {
  test("they stand beside the field", async () => {
    expect((await put({ displayName: "d", color: 1 })).json).toMatchObject({
      displayName: "d",
      name: "d",
      color: "DEEP_COLOR_RED",
      shade: "DEEP_COLOR_RED",
    });
  });

  test("also when it has both its names, and when it is empty", async () => {
    expect((await put({ display_name: "d" })).json).toMatchObject({
      displayName: "d",
      display_name: "d",
      name: "d",
    });
    expect((await put({})).json).toMatchObject({ displayName: "", name: "" });
  });
});
