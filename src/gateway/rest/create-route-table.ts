/**
 * All REST paths of the served RPCs, read from their `google.api.http` rules once at start. Finds the handler of a request;
 * throws at start for rules that contradict each other or a path that something else answers.
 */
import type { DescMessage } from "@bufbuild/protobuf";
import { Code, type MethodImplSpec } from "@connectrpc/connect";
import type { UniversalHandlerFn, UniversalHandlerOptions } from "@connectrpc/connect/protocol";
import type { RpcHandler } from "../adapter/serve-rpc.ts";
import { createRestHandler, type RestRpc } from "./create-rest-handler.ts";
import { checkOldMembers, type OldMember } from "./old-members.ts";
import { matchPath, overlap } from "./path-template.ts";
import { readRules } from "./read-rules.ts";
import { HttpRefusal } from "../adapter/http-refusal.ts";
import { answerError } from "./write-answer.ts";

export interface RouteTableOptions {
  readonly rpcs: readonly { readonly spec: MethodImplSpec; readonly options: UniversalHandlerOptions }[];
  /** By the full name of the message, a request or an answer. */
  readonly oldMembers: Readonly<Record<string, readonly OldMember[]>>;
  /** Paths that are answered otherwise, and before these. */
  readonly takenPaths: readonly string[];
}

export interface RouteTable {
  /**
   * `path` is as it was sent, without its query. Undefined: no rule has it. A method that no rule of the path has gets a
   * handler that answers 405.
   */
  find(httpMethod: string, path: string): RpcHandler | undefined;
}

export function createRouteTable(options: RouteTableOptions): RouteTable {
  const routes = readRoutes(options);
  // What most paths are found by at once.
  const literal = Map.groupBy(routes.filter(isLiteral), ({ rule }) => rule.path.text);
  const templates = routes.filter((route) => !isLiteral(route));
  return {
    find(httpMethod, path) {
      const matches = [
        ...(literal.get(path) ?? []).map((rpc) => ({ rpc, variables: noVariables })),
        ...templates.flatMap((rpc) => {
          const variables = matchPath(rpc.rule.path, path);
          return variables ? [{ rpc, variables }] : [];
        }),
      ];
      const [first] = matches;
      if (!first) return undefined;
      const match = matches.find(({ rpc }) => methodsOf(rpc).includes(httpMethod));
      return match
        ? asHandler(match.rpc, createRestHandler(match.rpc, match.variables))
        : asHandler(first.rpc, refuseMethod(matches.flatMap(({ rpc }) => methodsOf(rpc))));
    },
  };
}

const noVariables: ReadonlyMap<string, string> = new Map();

function readRoutes({ rpcs, oldMembers, takenPaths }: RouteTableOptions): readonly RestRpc[] {
  const unused = new Set(Object.keys(oldMembers));
  const membersOf = (schema: DescMessage) => {
    const members = oldMembers[schema.typeName] ?? [];
    checkOldMembers(schema, members);
    unused.delete(schema.typeName);
    return members;
  };
  const routes = rpcs.flatMap(({ spec, options }) =>
    readRules(spec.method).map((rule): RestRpc => {
      if (spec.kind !== "unary") throw new Error(`${nameOf(spec)} has a REST path and streams`);
      const { input, output } = spec.method;
      return { spec, options, rule, oldMembers: { request: membersOf(input), answer: membersOf(output) } };
    }),
  );
  for (const name of unused) throw new Error(`old members are given for ${name}, which no REST path has`);
  for (const [index, route] of routes.entries()) {
    const { httpMethod, path } = route.rule;
    const rival = routes
      .slice(0, index)
      .find(({ rule }) => rule.httpMethod === httpMethod && overlap(rule.path, path));
    if (rival)
      throw new Error(`${nameOf(route.spec)} and ${nameOf(rival.spec)} both have ${httpMethod} ${path.text}`);
    const taken = takenPaths.find((other) => matchPath(path, other));
    if (taken !== undefined) throw new Error(`${taken} is no path for ${nameOf(route.spec)}: it is taken`);
  }
  return routes;
}

function isLiteral({ rule }: RestRpc): boolean {
  return rule.path.segments.every((segment) => "literal" in segment);
}

function methodsOf({ rule }: RestRpc): string[] {
  return rule.httpMethod === "GET" ? ["GET", "HEAD"] : [rule.httpMethod];
}

function nameOf({ method }: MethodImplSpec): string {
  return `${method.parent.typeName}.${method.name}`;
}

function asHandler(rpc: RestRpc, handler: UniversalHandlerFn): RpcHandler {
  const { method } = rpc.spec;
  return Object.assign(handler, { service: method.parent, method, allowedMethods: methodsOf(rpc) });
}

function refuseMethod(allowed: readonly string[]): UniversalHandlerFn {
  const refusal = new HttpRefusal(405, Code.Unimplemented, `this path takes ${allowed.join(" or ")}`);
  return () => Promise.resolve(answerError(refusal, new Headers({ allow: allowed.join(", ") })));
}
