/**
 * Serves one RPC as plain HTTP with JSON: a protocol of Connect's handlers beside gRPC, gRPC-web and Connect. Reads the
 * request, invokes the same implementation through the same gate, deadline and interceptors, and writes the answer.
 */
import type { DescMessage, JsonObject } from "@bufbuild/protobuf";
import { createHandlerContext, type MethodImplSpec } from "@connectrpc/connect";
import {
  invokeUnaryImplementation,
  type UniversalHandlerFn,
  type UniversalHandlerOptions,
  type UniversalServerRequest,
} from "@connectrpc/connect/protocol";
import { headerTimeout, parseTimeout } from "@connectrpc/connect/protocol-connect";
import { protocolKey } from "../adapter/call-context.ts";
import { readOldMembers, type OldMember } from "./old-members.ts";
import { percentDecode } from "./path-template.ts";
import { readBody, skipBody } from "./read-body.ts";
import { fieldNamed, readFields, type ReadRequest } from "./read-fields.ts";
import { readQuery } from "./read-query.ts";
import type { RestRule } from "./read-rules.ts";
import { answerError, answerMessage } from "./write-answer.ts";

export interface RestRpc {
  readonly spec: MethodImplSpec & { kind: "unary" };
  /** As for the other protocols of the RPC. */
  readonly options: UniversalHandlerOptions;
  readonly rule: RestRule;
  readonly oldMembers: { readonly request: readonly OldMember[]; readonly answer: readonly OldMember[] };
}

/** `variables` are those of the path, percent-encoded. */
export function createRestHandler(rpc: RestRpc, variables: ReadonlyMap<string, string>): UniversalHandlerFn {
  const { spec, options, oldMembers } = rpc;
  return async (request) => {
    request.contextValues?.set(protocolKey, "rest");
    const deadline = parseTimeout(request.header.get(headerTimeout), options.maxTimeoutMs);
    const context = createHandlerContext({
      service: spec.method.parent,
      method: spec.method,
      protocolName: "rest",
      requestMethod: request.method,
      requestHeader: request.header,
      requestSignal: request.signal,
      url: request.url,
      ...(deadline.timeoutMs !== undefined && { timeoutMs: deadline.timeoutMs }),
      ...(options.shutdownSignal && { shutdownSignal: options.shutdownSignal }),
      ...(request.contextValues && { contextValues: request.contextValues }),
    });
    const header = context.responseHeader;
    try {
      await options.requestGate?.(context); // before the body is read
      if (deadline.error) throw deadline.error;
      const { message, spelling } = await readRequest(rpc, variables, request);
      const output = await invokeUnaryImplementation(spec, context, message, options.interceptors);
      return answerMessage(spec.method.output, {
        message: output,
        spelling,
        oldMembers: oldMembers.answer,
        header,
        maxBytes: options.writeMaxBytes,
      });
    } catch (reason) {
      context.abort(reason);
      return answerError(reason, header);
    } finally {
      context.abort();
    }
  };
}

/** Fields are bound by the path first, then by the body where the rule has one, else by the query. */
async function readRequest(
  { spec, options, rule, oldMembers }: RestRpc,
  variables: ReadonlyMap<string, string>,
  request: UniversalServerRequest,
): Promise<ReadRequest> {
  const schema = spec.method.input;
  const bound = bindVariables(schema, variables);
  if (!rule.takesBody) {
    await skipBody(request, options.readMaxBytes);
    const members = readQuery(schema, new URL(request.url).search.slice(1), new Set(variables.keys()));
    return readFields(schema, { ...members, ...bound });
  }
  const body = readOldMembers(schema, await readBody(request, options.readMaxBytes), oldMembers.request);
  const free = Object.entries(body).filter(([name]) => !variables.has(fieldNamed(schema, name)?.name ?? ""));
  return readFields(schema, { ...Object.fromEntries(free), ...bound });
}

/** By JSON names. */
function bindVariables(schema: DescMessage, variables: ReadonlyMap<string, string>): JsonObject {
  return Object.fromEntries(
    [...variables].map(([name, value]) => [
      fieldNamed(schema, name)?.jsonName ?? name,
      percentDecode(value, `{${name}} in the path`),
    ]),
  );
}
