/**
 * Members under which old clients send, or read, what a field holds today. Fills the field of a request, and adds the member
 * to an answer, where it is absent. Knows no service: the composition root says which members there are.
 */
import type { DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { fieldNamed, isObject } from "./read-fields.ts";

export interface OldMember {
  /** Where it stands in the body; in a request, members within members are joined by ".". */
  readonly member: string;
  /** The field that it stands for, by its name in the proto. */
  readonly field: string;
  /** Fields of a request beside which it means nothing, by their names in the proto. Default none. */
  readonly unless?: readonly string[];
}

/** The body of a request with fields for its old members. A field that was sent stays as it is. */
export function readOldMembers(
  schema: DescMessage,
  body: JsonObject,
  oldMembers: readonly OldMember[],
): JsonObject {
  let today = body;
  for (const { member, field: name, unless = [] } of oldMembers) {
    const field = fieldNamed(schema, name);
    if (!field || [name, ...unless].some((present) => isSent(schema, today, present))) continue;
    const value = memberAt(body, member.split("."));
    if (value === undefined) continue;
    const { [field.name]: _empty, ...others } = today;
    today = { ...others, [field.jsonName]: value };
  }
  return today;
}

/** The body of an answer with old members beside its fields. */
export function writeOldMembers(
  schema: DescMessage,
  body: JsonObject,
  oldMembers: readonly OldMember[],
): JsonObject {
  const added = oldMembers.flatMap(({ member, field }) => {
    const value = body[fieldNamed(schema, field)?.jsonName ?? ""];
    return value === undefined ? [] : [[member, value] as const];
  });
  return { ...Object.fromEntries(added), ...body };
}

/** Throws for a member that stands for no field. To be called at start. */
export function checkOldMembers(schema: DescMessage, oldMembers: readonly OldMember[]): void {
  for (const name of oldMembers.flatMap(({ field, unless = [] }) => [field, ...unless])) {
    if (!fieldNamed(schema, name))
      throw new Error(`an old member stands for ${name}, which ${schema.typeName} has not`);
  }
}

/** Whether the field has a value other than the empty one, under either of its names. */
function isSent(schema: DescMessage, body: JsonObject, name: string): boolean {
  const field = fieldNamed(schema, name);
  return [field?.name, field?.jsonName].some((key) => {
    const value = key !== undefined && Object.hasOwn(body, key) ? body[key] : undefined;
    return value !== undefined && value !== null && value !== "";
  });
}

function memberAt(body: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = body;
  for (const name of path) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value ?? undefined;
}
