import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJsonStrictly } from "../../../src/token/jwt/parse-json-strictly.ts";

/** JSON text with white space of any kind and length wherever it may be. */
const space = fc.stringMatching(/^[ \t\n\r]{0,40}$/);
const spacedJson = fc.tuple(fc.jsonValue({ maxDepth: 4 }), fc.array(space, { minLength: 1, maxLength: 20 }));

function write(value: unknown, spaces: readonly string[]): string {
  let used = 0;
  const gap = () => spaces[used++ % spaces.length] ?? "";
  const inner = (item: unknown): string => {
    if (Array.isArray(item)) return `[${gap()}${item.map((part) => inner(part) + gap()).join(`,${gap()}`)}]`;
    if (typeof item === "object" && item !== null) {
      const members = Object.entries(item).map(
        ([name, part]) => `${gap()}${JSON.stringify(name)}${gap()}:${gap()}${inner(part)}${gap()}`,
      );
      return `{${gap()}${members.join(",")}}`;
    }
    return JSON.stringify(item);
  };
  return gap() + inner(value) + gap();
}

describe("text without duplicate members", () => {
  test("gives what JSON.parse gives", () => {
    fc.assert(
      fc.property(spacedJson, ([value, spaces]) => {
        const text = write(value, spaces);
        expect(parseJsonStrictly(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test.each([
    '{"a":"b","b":"a"}',
    '{"a":{"a":{"a":1}},"b":{"a":1}}',
    '[{"a":1},{"a":1}]',
    '{"a":["a","a",{"a":"a"}],"b":"a"}',
    String.raw`{"a\\":1,"a":"\":","b":"{\"a\":1,\"a\":2}"}`,
    '{"__proto__":1,"constructor":2,"":3}',
    '{"a":1,"A":2}',
  ])("%s", (text) => {
    expect(parseJsonStrictly(text)).toEqual(JSON.parse(text));
  });

  test("keeps __proto__ a member like any other", () => {
    const value = parseJsonStrictly('{"__proto__":{"admin":true}}') as { admin?: unknown };
    expect(value.admin).toBeUndefined();
    expect(Object.hasOwn(value, "__proto__")).toBe(true);
  });
});

describe("duplicate members are refused", () => {
  test.each([
    ["at the top", '{"a":1,"a":2}'],
    ["with the same value", '{"a":1,"a":1}'],
    ["not next to each other", '{"a":1,"b":[{"c":"}"}],"a":2}'],
    ["within an object", '{"x":{"a":1,"a":2}}'],
    ["within an array", '[[],[{"a":1,"a":2}]]'],
    ["after an object that ended", '{"a":{"b":1},"b":2,"a":3}'],
    ["written with an escape", String.raw`{"a":1,"\u0061":2}`],
    ["written with an escape first", String.raw`{"\u0061":1,"a":2}`],
    ["of a slash that is escaped", String.raw`{"/":1,"\/":2}`],
    ["with an escaped quotation mark", String.raw`{"\"":1,"\u0022":2}`],
    ["with the empty name", '{"":1,"":2}'],
    ["called __proto__", '{"__proto__":1,"__proto__":2}'],
    ["with 15 spaces before the colon", `{"a"${" ".repeat(15)}:1,"a":2}`],
    ["with 16 spaces before the colon", `{"a"${" ".repeat(16)}:1,"a":2}`],
    ["with a thousand line ends before the colon", `{"a":1,"a"${"\r\n".repeat(1000)}:2}`],
    ["with tabs around", '{"a"\t:\t1\t,\t"a"\t:\t2}'],
  ])("%s", (_, text) => {
    expect(JSON.parse(text)).toBeDefined();
    expect(() => parseJsonStrictly(text)).toThrow(SyntaxError);
  });

  test("wherever one is put in, and however far it stands from its colon", () => {
    const name = fc.string({ maxLength: 6 });
    const wrap = fc.array(fc.constantFrom("object", "array"), { maxLength: 5 });
    fc.assert(
      fc.property(
        name,
        wrap,
        fc.array(space, { minLength: 1 }),
        fc.boolean(),
        (key, layers, spaces, escaped) => {
          const gap = spaces[0] ?? "";
          const plain = JSON.stringify(key);
          const units = Array.from({ length: key.length }, (_, at) => key.charCodeAt(at));
          const other = escaped
            ? `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("")}"`
            : plain;
          let text = `{${plain}${gap}:1,"${"x".repeat(9)}":[],${other}${spaces.at(-1) ?? ""}:2}`;
          for (const layer of layers) text = layer === "array" ? `[0,${text},"a"]` : `{"a":"b","k":${text}}`;
          expect(() => parseJsonStrictly(text)).toThrow("duplicate member");
        },
      ),
    );
  });
});

test("a number that no double holds is refused, at any depth", () => {
  for (const text of ["1e999", "-1e999", '{"a":1e309}', '[{"a":[-1e309]}]']) {
    expect(() => parseJsonStrictly(text)).toThrow(SyntaxError);
  }
  expect(parseJsonStrictly("[1e308,-1e308,1e-999]")).toEqual([1e308, -1e308, 0]);
});

test("more than 64 levels are refused, whatever is in them; fewer are not", () => {
  const nest = (levels: number, inner: string) =>
    Array.from({ length: levels }, (_, level) => (level % 2 === 0 ? ["[", "]"] : ['{"a":', "}"])).reduce(
      (text, [open = "", close = ""]) => open + text + close,
      inner,
    );
  for (const inner of ["1", "1e5", '"a"']) {
    expect(parseJsonStrictly(nest(64, inner))).toEqual(JSON.parse(nest(64, inner)));
    for (const levels of [65, 2500]) {
      expect(() => parseJsonStrictly(nest(levels, inner))).toThrow("nested too deeply");
    }
  }
  expect(parseJsonStrictly(`[${"[],".repeat(1000)}[]]`)).toHaveLength(1001);
});

test("what is not JSON is refused", () => {
  for (const text of ["", "{", "{a:1}", '{"a":1,}', "undefined", "\ufeff{}", '{"a":1}x', "NaN", "{'a':1}"]) {
    expect(() => parseJsonStrictly(text)).toThrow(SyntaxError);
  }
});
