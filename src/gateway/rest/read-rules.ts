/**
 * Reads the `google.api.http` rules of an RPC. What this transcoder cannot serve throws at start with the RPC's name, so
 * that no rule is silently without effect.
 */
import { getOption, ScalarType } from "@bufbuild/protobuf";
import type { DescField, DescMethod } from "@bufbuild/protobuf";
import { http } from "../../../gen/ts/google/api/annotations_pb.ts";
import type { HttpRule } from "../../../gen/ts/google/api/http_pb.ts";
import { parsePathTemplate, variablesOf, type PathTemplate } from "./path-template.ts";

export interface RestRule {
  /** In upper case. */
  readonly httpMethod: string;
  readonly path: PathTemplate;
  /** Whether the body holds all fields that are not in the path. Otherwise the query does, as far as it can. */
  readonly takesBody: boolean;
}

/** The rule of the RPC and its additional bindings; none for an RPC without. */
export function readRules(method: DescMethod): readonly RestRule[] {
  // `getOption` gives the default for an option that is not set: a rule without a pattern.
  const rule = getOption(method, http);
  if (rule.pattern.case === undefined && rule.additionalBindings.length === 0) return [];
  try {
    if (method.methodKind !== "unary") throw new Error("only an RPC of one message each way can be served");
    return [rule, ...rule.additionalBindings].map((binding) => {
      if (binding !== rule && binding.additionalBindings.length > 0)
        throw new Error("an additional binding has bindings of its own");
      return readRule(method, binding);
    });
  } catch (error) {
    const problem = error instanceof Error ? error.message : "it cannot be read";
    throw new Error(`google.api.http of ${method.parent.typeName}.${method.name}: ${problem}`, {
      cause: error,
    });
  }
}

function readRule(method: DescMethod, rule: HttpRule): RestRule {
  const { pattern, body, responseBody } = rule;
  if (pattern.case === undefined || pattern.case === "custom")
    throw new Error("the pattern is none of get, put, post, delete and patch");
  if (body !== "" && body !== "*") throw new Error(`body "${body}" is neither "*" nor absent`);
  if (responseBody !== "") throw new Error("response_body cannot be served");
  const takesBody = body === "*";
  if (takesBody && pattern.case === "get") throw new Error("get takes no body");
  const path = parsePathTemplate(pattern.value);
  const bound = new Set(variablesOf(path.segments));
  for (const name of bound) {
    const field = method.input.fields.find((candidate) => candidate.name === name);
    if (field?.fieldKind !== "scalar" || field.scalar !== ScalarType.STRING)
      throw new Error(`{${name}} is not a string field of ${method.input.typeName}`);
  }
  const lost = takesBody
    ? undefined
    : method.input.fields.find((field) => !bound.has(field.name) && !fitsQuery(field));
  if (lost)
    throw new Error(`${lost.name} is of a kind that no query parameter can hold, and there is no body`);
  return { httpMethod: pattern.case.toUpperCase(), path, takesBody };
}

/** Scalars, enums, and lists of them. */
function fitsQuery(field: DescField): boolean {
  const kind = field.fieldKind === "list" ? field.listKind : field.fieldKind;
  return kind === "scalar" || kind === "enum";
}
