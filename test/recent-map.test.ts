/** What a map that forgets keeps, whatever it is used for. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { RecentMap } from "../src/recent-map.ts";

test("what was set is found, with its last value", () => {
  const map = new RecentMap<number>(10);
  map.set("a", 1);
  map.set("a", 2);
  expect(map.get("a")).toBe(2);
  expect(map.get("b")).toBeUndefined();
  map.clear();
  expect(map.get("a")).toBeUndefined();
  expect(map.size).toBe(0);
});

test("a value of before is never found again once there is another, also after many keys", () => {
  const map = new RecentMap<number>(4);
  map.set("a", 1);
  map.set("b", 1); // the first generation is full
  map.set("c", 1);
  map.set("a", 2); // its old value is in the older one
  expect(map.get("a")).toBe(2);
  for (const key of ["d", "e"]) map.set(key, 1);
  expect(map.get("a")).toBe(2);
});

test("the half that was used last is kept, however it was used, and never more than the whole", () => {
  const use = fc.tuple(fc.constantFrom("get", "set"), fc.integer({ min: 0, max: 30 }));
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), fc.array(use, { maxLength: 200 }), (maxCount, uses) => {
      const map = new RecentMap<number>(maxCount);
      const model = new Map<number, number>();
      let lastUsed: number[] = [];
      for (const [index, [kind, key]] of uses.entries()) {
        if (kind === "set") {
          map.set(String(key), index);
          model.set(key, index);
        } else {
          const found = map.get(String(key));
          if (lastUsed.includes(key)) expect(found).toBe(model.get(key));
          else expect([undefined, model.get(key)]).toContain(found);
          if (found === undefined) continue;
        }
        lastUsed = [key, ...lastUsed.filter((other) => other !== key)].slice(0, Math.floor(maxCount / 2));
        expect(map.size).toBeLessThanOrEqual(maxCount);
      }
      for (const key of lastUsed) expect(map.get(String(key))).toBe(model.get(key));
    }),
  );
});

test("what is over is deleted from both generations, and the rest stays", () => {
  const map = new RecentMap<number>(4);
  for (const [value, key] of ["a", "b", "c", "d"].entries()) map.set(key, value);
  map.deleteWhere((value) => value % 2 === 0);
  expect(["a", "b", "c", "d"].map((key) => map.get(key))).toEqual([undefined, 1, undefined, 3]);
});
