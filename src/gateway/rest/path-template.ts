/**
 * Path templates of `google.api.http`: literal segments, and variables that stand for one whole segment. Owns how a path is
 * matched and how a variable's value is decoded. Wildcards, verbs and variables over several segments are refused.
 */
import { Code, ConnectError } from "@connectrpc/connect";

export interface PathTemplate {
  /** As it was written. */
  readonly text: string;
  readonly segments: readonly Segment[];
}

export type Segment = { readonly literal: string } | { readonly variable: string };

/** Characters that need no escape, so that a literal is found by comparing it. */
const literalPattern = /^[A-Za-z0-9._~-]+$/;
const variablePattern = /^\{([a-z][a-z0-9_]*)\}$/;

/** Throws Error, which says what cannot be served. */
export function parsePathTemplate(text: string): PathTemplate {
  if (!text.startsWith("/")) throw new Error(`"${text}" does not begin with "/"`);
  const segments = text
    .slice(1)
    .split("/")
    .map((segment): Segment => {
      const variable = variablePattern.exec(segment)?.[1];
      if (variable !== undefined) return { variable };
      if (literalPattern.test(segment) && !isDotSegment(segment)) return { literal: segment };
      throw new Error(`"${segment}" in "${text}" is neither a plain name nor a {field}`);
    });
  const variables = variablesOf(segments);
  if (new Set(variables).size < variables.length) throw new Error(`"${text}" names a field twice`);
  return { text, segments };
}

export function variablesOf(segments: readonly Segment[]): string[] {
  return segments.flatMap((segment) => ("variable" in segment ? [segment.variable] : []));
}

/**
 * The values of the variables by name, still percent-encoded; undefined for a path that does not match. A segment that is
 * empty, "." or "..", which clients and proxies resolve before they send it on, is no value.
 */
export function matchPath(template: PathTemplate, path: string): ReadonlyMap<string, string> | undefined {
  const parts = path.slice(1).split("/");
  if (parts.length !== template.segments.length) return undefined;
  const values = new Map<string, string>();
  for (const [index, segment] of template.segments.entries()) {
    const part = parts[index] ?? "";
    if ("literal" in segment) {
      if (part !== segment.literal) return undefined;
    } else {
      if (part === "" || isDotSegment(part)) return undefined;
      values.set(segment.variable, part);
    }
  }
  return values;
}

/** Whether there is a path that both match. */
export function overlap(one: PathTemplate, other: PathTemplate): boolean {
  return (
    one.segments.length === other.segments.length &&
    one.segments.every((segment, index) => {
      const opposite = other.segments[index];
      if (opposite === undefined || "variable" in segment || "variable" in opposite) return true;
      return segment.literal === opposite.literal;
    })
  );
}

/** The text that a client percent-encoded; `where` names its place in a refusal. Throws ConnectError. */
export function percentDecode(encoded: string, where: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new ConnectError(`${where}: not percent-encoded UTF-8`, Code.InvalidArgument);
  }
}

/** "." and "..", also with escaped dots, which URL parsers read as the same. */
function isDotSegment(segment: string): boolean {
  return /^(?:\.|%2e){1,2}$/i.test(segment);
}
