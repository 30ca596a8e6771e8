/** Whatever a client sends to a path: an answer or a refusal of its own making, never a fault of the server's. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { overHttp1 } from "./ask.ts";
import { makeService } from "./made-service.ts";
import { startThingsGateway, type ThingsGateway } from "./things-gateway.ts";

let things: ThingsGateway;
beforeAll(async () => {
  things = await startThingsGateway(
    makeService({
      Put: { input: "Everything", rule: { pattern: { case: "post", value: "/things" }, body: "*" } },
      Find: { rule: { pattern: { case: "get", value: "/things/{display_name}" } } },
    }),
    { oldMembers: { "test.v1.Everything": [{ member: "old.name", field: "display_name" }] } },
  );
});
afterAll(() => things.close());

const fieldNames = [
  "display_name",
  "displayName",
  "itemCount",
  "big_number",
  "weight",
  "is_ready",
  "rawData",
  "color",
  "tag_names",
  "otherColors",
  "innerThing",
  "inner",
  "more_things",
  "colorNames",
  "document",
  "create_time",
  "old",
  "__proto__",
];
/** JSON in which the names of fields are likely and their types are not. */
const { value: anything } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, 0, 1.5, -1e300, "", "RED", "2030-01-31T12:00:00Z", "AAE=", "7"),
    fc.string({ unit: "grapheme" }),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...fieldNames), tie("value"), { maxKeys: 4 }),
    fc.jsonValue({ maxDepth: 3 }),
  ),
}));

test("any JSON is answered or is 400", async () => {
  await fc.assert(
    fc.asyncProperty(anything, async (value) => {
      const answer = await overHttp1(things.port, { path: "/things", body: JSON.stringify(value) });
      expect([200, 400]).toContain(answer.status);
      if (answer.status === 400)
        expect(answer.json).toMatchObject({ statusCode: 400, code: "invalid_argument" });
    }),
    { numRuns: 100 },
  );
});

test("any text is answered or is 400, and no part of it comes back in a refusal", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", minLength: 12, maxLength: 200 }), async (text) => {
      const answer = await overHttp1(things.port, { path: "/things", body: text });
      expect([200, 400]).toContain(answer.status);
      expect(answer.text).not.toContain(text);
    }),
    { numRuns: 100 },
  );
});

test("any path and query of printable characters is answered, or refused as the client's fault", async () => {
  const printable = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  });
  await fc.assert(
    fc.asyncProperty(printable, printable, async (path, query) => {
      const { status } = await overHttp1(things.port, { path: `/things/${path}?${query}` });
      expect([200, 400, 404]).toContain(status);
    }),
    { numRuns: 100 },
  );
});
