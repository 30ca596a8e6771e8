/**
 * Query parameters as members of a request, by the rules of `google.api.http`: scalars, enums and lists of them, each under
 * either spelling of its name. Parameters that no field has are left out: clients add some of their own.
 */
import { ScalarType } from "@bufbuild/protobuf";
import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { percentDecode } from "./path-template.ts";
import { fieldNamed } from "./read-fields.ts";

/** `query` is what follows the "?". `exceptFields` are bound elsewhere. Throws ConnectError. */
export function readQuery(schema: DescMessage, query: string, exceptFields: ReadonlySet<string>): JsonObject {
  const members: JsonObject = {};
  for (const parameter of query.split("&")) {
    const equals = parameter.indexOf("=");
    const name = decode(equals === -1 ? parameter : parameter.slice(0, equals));
    const field = fieldNamed(schema, name);
    if (!field || exceptFields.has(field.name)) continue;
    const value = toJson(field, equals === -1 ? "" : decode(parameter.slice(equals + 1)));
    const earlier = members[name];
    if (field.fieldKind === "list") members[name] = Array.isArray(earlier) ? [...earlier, value] : [value];
    else if (earlier === undefined) members[name] = value;
    else throw new ConnectError(`${field.name}: send it once`, Code.InvalidArgument);
  }
  return members;
}

function decode(text: string): string {
  return percentDecode(text.replaceAll("+", " "), "query");
}

/** In a query all is text; JSON has booleans, and enums by number. Numbers may be text in protobuf JSON. */
function toJson({ scalar, enum: desc }: DescField, text: string): JsonValue {
  if (scalar === ScalarType.BOOL && (text === "true" || text === "false")) return text === "true";
  return desc && /^-?\d{1,10}$/.test(text) ? Number(text) : text;
}
