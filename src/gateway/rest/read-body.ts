/**
 * The JSON object that a request's body holds: its kind, its size, its encoding, its syntax. A refusal says what to send
 * and repeats nothing of what was sent.
 */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { readAllBytes } from "@connectrpc/connect/protocol";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { parseJsonStrictly } from "../../token/jwt/parse-json-strictly.ts";
import { isObject } from "./read-fields.ts";
import { HttpRefusal } from "../adapter/http-refusal.ts";

/** An empty body is an empty object. Rejects with ConnectError. */
export async function readBody(request: UniversalServerRequest, maxBytes: number): Promise<JsonObject> {
  checkKind(request.header);
  const bytes = await readBytes(request, maxBytes);
  if (bytes.length === 0) return {};
  const value = parse(bytes);
  if (!isObject(value)) throw new ConnectError("body: send a JSON object", Code.InvalidArgument);
  return value;
}

/** Reads a body that says nothing, so that the connection is free for the next request. */
export async function skipBody(request: UniversalServerRequest, maxBytes: number): Promise<void> {
  await readBytes(request, maxBytes);
}

/** No content type at all is taken for JSON, as the old servers did. */
function checkKind(header: Headers): void {
  const [type = "", ...parameters] = (header.get("content-type") ?? "").toLowerCase().split(";");
  if (!["", "application/json"].includes(type.trim()))
    throw unsupported("send content-type application/json");
  const charset = parameters.map((parameter) => /^\s*charset\s*=\s*"?([^"]*?)"?\s*$/.exec(parameter)?.[1]);
  if (charset.some((name) => name !== undefined && name !== "utf-8" && name !== "utf8"))
    throw unsupported("send JSON in UTF-8");
  if (!["", "identity"].includes((header.get("content-encoding") ?? "").trim().toLowerCase()))
    throw unsupported("send the body without content-encoding");
}

async function readBytes({ body, header }: UniversalServerRequest, maxBytes: number): Promise<Uint8Array> {
  if (!isByteStream(body)) throw new ConnectError("body: send bytes", Code.InvalidArgument);
  try {
    return await readAllBytes(body, maxBytes, header.get("content-length"));
  } catch (error) {
    if (!(error instanceof ConnectError) || error.code !== Code.ResourceExhausted) throw error;
    throw new HttpRefusal(413, Code.ResourceExhausted, `body: send at most ${maxBytes} bytes`);
  }
}

function isByteStream(body: UniversalServerRequest["body"]): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

function parse(bytes: Uint8Array): JsonValue {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return parseJsonStrictly(text) as JsonValue;
  } catch {
    throw new ConnectError(
      "body: send well-formed JSON in UTF-8 that names each member once",
      Code.InvalidArgument,
    );
  }
}

function unsupported(message: string): HttpRefusal {
  return new HttpRefusal(415, Code.InvalidArgument, message);
}
