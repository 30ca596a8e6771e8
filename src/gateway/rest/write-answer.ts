/**
 * Answers of REST calls: a message as protobuf JSON, or an error in the one shape that old clients can show.
 *
 * A message is written in camelCase with every implicit field, so that `valid` is there when it is false. Clients of the
 * servers in Python write snake_case and read it: a request that spells a field so is answered under both names of each
 * field. Adding is safe, as clients skip what they do not know; changing is not, as some read camelCase whatever they wrote.
 */
import { toJson } from "@bufbuild/protobuf";
import type { DescMessage, JsonValue, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { mergeNonProtocolHeaders, type UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeToHttpStatus } from "@connectrpc/connect/protocol-connect";
import { refusalBody, type Refusal } from "../adapter/answer.ts";
import { writeOldMembers, type OldMember } from "./old-members.ts";
import { isObject, type Spelling } from "./read-fields.ts";
import { HttpRefusal } from "../adapter/http-refusal.ts";

export interface MessageAnswer {
  readonly message: Message;
  readonly spelling: Spelling;
  /** Under which old clients read its fields. */
  readonly oldMembers: readonly OldMember[];
  /** What the call has set; the answer's own are added. */
  readonly header: Headers;
  /** Longest body, in bytes. */
  readonly maxBytes: number;
}

/** Throws ConnectError for a message that is too long. */
export function answerMessage(
  schema: DescMessage,
  { message, spelling, oldMembers, header, maxBytes }: MessageAnswer,
): UniversalServerResponse {
  const camelCase = toJson(schema, message, { alwaysEmitImplicit: true });
  const json =
    spelling === "camelCase"
      ? camelCase
      : underBothNames(
          camelCase,
          toJson(schema, message, { alwaysEmitImplicit: true, useProtoFieldName: true }),
        );
  const body = encode(isObject(json) ? writeOldMembers(schema, json, oldMembers) : json);
  if (body.length > maxBytes)
    throw new ConnectError(`the answer is longer than ${maxBytes} bytes`, Code.ResourceExhausted);
  return answer(200, body, header);
}

/** The status is the one that Connect gives the code, so that an error has one status on this port. */
export function answerError(reason: unknown, header: Headers): UniversalServerResponse {
  if (reason instanceof HttpRefusal) return answerRefusal(reason, header);
  const error = reason instanceof ConnectError ? reason : new ConnectError("internal error", Code.Internal);
  const { code, rawMessage: message, metadata } = error;
  if (!error.isWireError) mergeNonProtocolHeaders(header, metadata); // `retry-after` among them
  if (code === Code.Unauthenticated) header.set("www-authenticate", "Bearer");
  return answerRefusal({ status: codeToHttpStatus(code), code, message }, header);
}

function answerRefusal({ status, code, message }: Refusal, header: Headers): UniversalServerResponse {
  return answer(status, encode(refusalBody({ status, code, message })), header);
}

function encode(json: JsonValue): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(json)}\n`);
}

function answer(status: number, body: Uint8Array, header: Headers): UniversalServerResponse {
  header.set("content-type", "application/json");
  header.set("content-length", String(body.length));
  header.set("cache-control", "no-store"); // there may be tokens in it
  header.set("x-content-type-options", "nosniff");
  return { status, header, body: once(body) };
}

/** Both are the same message; keys that differ are all kept. */
function underBothNames(one: JsonValue, other: JsonValue | undefined): JsonValue {
  if (Array.isArray(one) && Array.isArray(other))
    return one.map((item, index) => underBothNames(item, other[index]));
  if (!isObject(one) || !isObject(other)) return one;
  return Object.fromEntries([
    ...Object.entries(one).map(([name, value]) => [
      name,
      Object.hasOwn(other, name) ? underBothNames(value, other[name]) : value,
    ]),
    ...Object.entries(other).filter(([name]) => !Object.hasOwn(one, name)),
  ]) as JsonValue;
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(body);
}
