/**
 * From the members of a JSON object to a request message, as kindly as old clients need: fields in camelCase or snake_case,
 * enum values with or without their prefix and in either case, members that no field has left out. Names what is wrong with
 * a field, and never what was sent.
 */
import { fromJson, ScalarType } from "@bufbuild/protobuf";
import type { DescEnum, DescField, DescMessage, JsonObject, JsonValue, Message } from "@bufbuild/protobuf";
import { isFieldError } from "@bufbuild/protobuf/reflect";
import { Code, ConnectError } from "@connectrpc/connect";

/** How a client writes the names of fields, as far as it shows. */
export type Spelling = "camelCase" | "snake_case";

export interface ReadRequest {
  readonly message: Message;
  readonly spelling: Spelling;
}

/** Throws ConnectError. */
export function readFields(schema: DescMessage, members: JsonObject): ReadRequest {
  const seen: Seen = { spelling: "camelCase" };
  const known = knownMembers(schema, members, "", seen);
  try {
    return { message: fromJson(schema, known), spelling: seen.spelling };
  } catch (error) {
    throw new ConnectError(describeMisfit(schema, known, error), Code.InvalidArgument);
  }
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The field that a member's name stands for, in either spelling. */
export function fieldNamed(schema: DescMessage, name: string): DescField | undefined {
  let fields = fieldsByName.get(schema);
  if (!fields) {
    fields = new Map(
      schema.fields.flatMap((field) => [
        [field.name, field],
        [field.jsonName, field],
      ]),
    );
    fieldsByName.set(schema, fields);
  }
  return fields.get(name);
}

const fieldsByName = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

interface Seen {
  spelling: Spelling;
}

/** Strict protobuf JSON of what is known. */
function knownMembers(schema: DescMessage, members: JsonObject, parent: string, seen: Seen): JsonObject {
  const known: JsonObject = {};
  for (const [name, value] of Object.entries(members)) {
    const field = fieldNamed(schema, name);
    if (!field) continue;
    const path = parent + field.name;
    if (Object.hasOwn(known, field.jsonName)) throw invalid(path, "send it once");
    if (name !== field.jsonName) seen.spelling = "snake_case";
    known[field.jsonName] = knownValue(field, value, path, seen);
  }
  return known;
}

function knownValue(field: DescField, value: JsonValue, path: string, seen: Seen): JsonValue {
  if (value === null) return null;
  switch (field.fieldKind) {
    case "scalar":
      return value;
    case "enum":
      return enumNumber(field.enum, value, path);
    case "message":
      return knownMessage(field.message, value, path, seen);
    case "list":
      if (!Array.isArray(value)) throw invalid(path, "send an array");
      return value.map((item) => knownItem(field, item, path, seen));
    case "map":
      if (!isObject(value)) throw invalid(path, "send an object");
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, knownItem(field, item, path, seen)]),
      );
  }
}

function knownItem(
  field: DescField & { fieldKind: "list" | "map" },
  item: JsonValue,
  path: string,
  seen: Seen,
): JsonValue {
  if (field.enum) return enumNumber(field.enum, item, path);
  return field.message ? knownMessage(field.message, item, path, seen) : item;
}

function knownMessage(schema: DescMessage, value: JsonValue, path: string, seen: Seen): JsonValue {
  // Well-known types have a JSON form of their own: a time is a string, a Struct any object.
  if (schema.typeName.startsWith("google.protobuf.")) return value;
  if (!isObject(value)) throw invalid(path, "send an object");
  return knownMembers(schema, value, `${path}.`, seen);
}

/** Protobuf JSON drops a name that it does not know, which would then mean the default; here it is refused. */
function enumNumber(desc: DescEnum, value: JsonValue, path: string): JsonValue {
  if (typeof value === "number") return value;
  const number = typeof value === "string" ? enumNumbers(desc).get(value.toUpperCase()) : undefined;
  if (number === undefined) throw invalid(path, `send ${enumNames(desc)}`);
  return number;
}

/** By name with and without the prefix that all names share, in upper case. */
function enumNumbers(desc: DescEnum): ReadonlyMap<string, number> {
  let numbers = numbersByEnum.get(desc);
  if (!numbers) {
    numbers = new Map(
      desc.values.flatMap(({ name, number }) => [
        [name.toUpperCase(), number],
        [withoutPrefix(desc, name).toUpperCase(), number],
      ]),
    );
    numbersByEnum.set(desc, numbers);
  }
  return numbers;
}

const numbersByEnum = new WeakMap<DescEnum, ReadonlyMap<string, number>>();

function withoutPrefix({ sharedPrefix }: DescEnum, name: string): string {
  return name.slice(sharedPrefix?.length ?? 0);
}

/** "one of EASY, MEDIUM, HARD": the zero value means "not said" and is left out. */
function enumNames(desc: DescEnum): string {
  const names = desc.values.filter(({ number }) => number !== 0).map(({ name }) => withoutPrefix(desc, name));
  return `one of ${names.join(", ")}`;
}

/** The field that does not fit and what to send; the parser's own message would repeat the value. */
function describeMisfit(schema: DescMessage, known: JsonObject, error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const named = isFieldError(cause) ? cause.field() : undefined;
  const field = named?.kind === "field" ? named : firstMisfit(schema, known);
  return field ? `${field.name}: send ${expectation(field)}` : `the request is no ${schema.typeName}`;
}

function firstMisfit(schema: DescMessage, known: JsonObject): DescField | undefined {
  return schema.fields.find((field) => {
    const value = known[field.jsonName];
    if (value === undefined) return false;
    try {
      fromJson(schema, { [field.jsonName]: value });
      return false;
    } catch {
      return true;
    }
  });
}

function expectation(field: DescField): string {
  switch (field.fieldKind) {
    case "list":
      return `an array, each item ${valueExpectation(field)}`;
    case "map":
      return `an object, each value ${valueExpectation(field)}`;
    default:
      return valueExpectation(field);
  }
}

function valueExpectation({ scalar, enum: desc, message }: DescField): string {
  if (desc) return enumNames(desc);
  if (message?.typeName === "google.protobuf.Timestamp") return "a time such as 2030-01-31T12:00:00Z";
  if (message?.typeName === "google.protobuf.Duration") return "a duration such as 1.5s";
  if (message) return "an object";
  switch (scalar) {
    case ScalarType.STRING:
      return "a string";
    case ScalarType.BOOL:
      return "true or false";
    case ScalarType.BYTES:
      return "text in base64";
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return "a number";
    default:
      return "a whole number within its range";
  }
}

function invalid(path: string, advice: string): ConnectError {
  return new ConnectError(`${path}: ${advice}`, Code.InvalidArgument);
}
