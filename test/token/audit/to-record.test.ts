/** What becomes of an entry before it is hashed: it must come out of the database as it went in. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { nameSubject } from "../../../src/token/audit/name-subject.ts";
import { recordLimits, toRecord } from "../../../src/token/audit/to-record.ts";
import { storableText } from "../../../src/storage/storable-text.ts";
import { entry, startMs } from "./make-chain.ts";

const fields = Object.keys(recordLimits) as (keyof typeof recordLimits)[];
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 1100 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 1100 })
    .map((units) => String.fromCharCode(...units)),
);

test("an entry that can be stored stays what it is", () => {
  expect(toRecord(entry("a\u0001\n\u{1F399}"), startMs)).toEqual({
    ...entry("a\u0001\n\u{1F399}"),
    createTime: new Date(startMs),
  });
  expect(toRecord({ actor: "server", action: "a", subject: "", outcome: "ok" }, startMs)).toMatchObject({
    peerAddress: "",
  });
});

test("what the database would replace is replaced before", () => {
  expect(toRecord(entry("a\0b\uD800c"), startMs).subject).toBe("a\uFFFDb\uFFFDc");
});

test("whatever the texts, the database has nothing left to replace and nothing is too long", () => {
  fc.assert(
    fc.property(fc.record(Object.fromEntries(fields.map((field) => [field, text]))), (texts) => {
      const made = toRecord(entry("", texts), startMs);
      for (const field of fields) {
        expect(made[field]).toBe(storableText(made[field]));
        expect(made[field].length).toBeLessThanOrEqual(recordLimits[field]);
      }
    }),
  );
});

test("a text at its limit is whole; one above it is cut, between characters, and ends with a mark", () => {
  const limit = recordLimits.subject;
  expect(toRecord(entry("x".repeat(limit)), startMs).subject).toBe("x".repeat(limit));
  expect(toRecord(entry("x".repeat(limit + 1)), startMs).subject).toBe(`${"x".repeat(limit - 1)}…`);
  const split = `${"x".repeat(limit - 2)}\u{1F399}y`;
  expect(toRecord(entry(split), startMs).subject).toBe(`${"x".repeat(limit - 2)}…`);
});

test("a moment is kept to the millisecond", () => {
  expect(toRecord(entry(""), startMs + 0.9).createTime).toEqual(new Date(startMs));
});

test("a subject names its parts; a value that is no plain word is quoted, and what is empty is left out", () => {
  expect(
    nameSubject({
      room_name: "talk",
      participant_identity: "Ada L.",
      user_id: "zoë@example.com",
      user_type: "",
      target: undefined,
      grants: [],
      scopes: ["tokens", "rooms"],
      events: 12,
      none: 0,
    }),
  ).toBe(
    'room_name=talk participant_identity="Ada L." user_id=zoë@example.com scopes=tokens,rooms events=12',
  );
  expect(nameSubject({})).toBe("");
});

test("no value can pass for another part, whatever it is", () => {
  const parse = (subject: string) => {
    const parts: [string, string][] = [];
    const part = /(\w+)=("(?:[^"\\]|\\.)*"|[\p{L}\p{N}_.,:@+/-]+)(?: |$)/guy;
    for (let match = part.exec(subject); match; match = part.exec(subject)) {
      const [, name, value] = match as unknown as [string, string, string];
      parts.push([name, value.startsWith('"') ? (JSON.parse(value) as string) : value]);
    }
    return parts;
  };
  const value = fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 30 }),
    fc.constantFrom("a b=c", 'x" y="z', "user_id=eve", "a\nb"),
  );
  fc.assert(
    fc.property(value, value, (room, user) => {
      expect(parse(nameSubject({ room_name: room, user_id: user }))).toEqual([
        ["room_name", room],
        ["user_id", user],
      ]);
    }),
  );
});

test("a value without end costs no more than a long one", () => {
  expect(nameSubject({ room_name: "\u0001".repeat(2_000_000) }).length).toBeLessThan(10_000);
});
