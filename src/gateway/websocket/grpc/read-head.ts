/**
 * Reads the first message of the grpc-websockets protocol: the metadata of the call, as lines of `name: value`. Source:
 * the gRPC-web client of improbable-eng, whose transport nice-grpc-web shares; the protocol has no other document.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type { GatewayLimits } from "../../listener/limits.ts";
import type { SocketMessage } from "../web-socket-endpoint.ts";

/** A token of RFC 9110, section 5.6.2. */
const namePattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Printable ASCII, as PROTOCOL-HTTP2.md of gRPC has it of metadata. */
const valuePattern = /^[\x20-\x7e\t]*$/;
const contentTypePattern = /^application\/grpc-web(\+(proto|json))?(;|$)/i;

/** Throws ConnectError INVALID_ARGUMENT. Nothing that was sent is repeated in the message. */
export function readHead(message: SocketMessage, limits: GatewayLimits): Headers {
  if (!("data" in message))
    throw malformed("the first message is text; send the metadata as a binary message");
  if (message.data.length > limits.maxHeaderBytes) throw malformed("the metadata is too long");
  const lines = Buffer.from(message.data.buffer, message.data.byteOffset, message.data.length)
    .toString("latin1")
    .split(/\r?\n/)
    .filter((line) => line !== "");
  if (lines.length > limits.maxHeaderFields) throw malformed("the metadata has too many fields");
  const header = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    const value = line.slice(colon + 1).trim();
    if (!namePattern.test(name) || !valuePattern.test(value)) {
      throw malformed("the first message is no metadata: lines of `name: value` in ASCII");
    }
    header.append(name, value);
  }
  if (!header.has("content-type")) header.set("content-type", "application/grpc-web+proto");
  if (!contentTypePattern.test(header.get("content-type") ?? "")) {
    throw malformed("send content-type application/grpc-web+proto");
  }
  header.delete("grpc-accept-encoding"); // clients of this protocol cannot read compressed frames
  return header;
}

function malformed(message: string): ConnectError {
  return new ConnectError(message, Code.InvalidArgument);
}
