/**
 * Members under which old clients send what a field holds today. Adds the field where it is absent; knows no service: the
 * composition root says which members there are.
 */
import type { DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { fieldNamed, isObject } from "./read-fields.ts";

export interface OldMember {
  /** Where it stands in the body; members within members are joined by ".". */
  readonly member: string;
  /** The field that it stands for, by its name in the proto. */
  readonly field: string;
  /** Fields beside which it means nothing, by their names in the proto. Default none. */
  readonly unless?: readonly string[];
}

/** The body with fields for its old members. A field that was sent stays as it is. */
export function addOldMembers(
  schema: DescMessage,
  body: JsonObject,
  oldMembers: readonly OldMember[],
): JsonObject {
  let today = body;
  for (const { member, field: name, unless = [] } of oldMembers) {
    const field = fieldNamed(schema, name);
    if (!field || [name, ...unless].some((present) => isSent(schema, body, present))) continue;
    const value = memberAt(body, member.split("."));
    if (value === undefined) continue;
    const { [field.name]: _empty, ...others } = today;
    today = { ...others, [field.jsonName]: value };
  }
  return today;
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
