/** Answers WebSocket handshakes that are not taken: a plain HTTP response, and the end of the connection. */
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";
import { codeToHttpStatus } from "@connectrpc/connect/protocol-connect";
import { refusalBody, type Refusal } from "../adapter/answer.ts";

/** What is told of a failure: no more than it says itself, and of an unknown one nothing. */
export function refusalOf(reason: unknown): Refusal {
  const error = reason instanceof ConnectError ? reason : new ConnectError("internal error", Code.Internal);
  return { status: codeToHttpStatus(error.code), code: error.code, message: error.rawMessage };
}

/** `header` is what belongs to the refusal, such as `retry-after`. */
export function refuseHandshake(
  socket: Duplex,
  requestId: string,
  refusal: Refusal,
  header = new Headers(),
): void {
  const body = Buffer.from(`${JSON.stringify(refusalBody(refusal))}\n`);
  const { status } = refusal;
  header.set("connection", "close");
  header.set("content-type", "application/json");
  header.set("content-length", String(body.length));
  header.set("cache-control", "no-store");
  header.set("x-content-type-options", "nosniff");
  header.set("x-request-id", requestId);
  if (status === 401) header.set("www-authenticate", "Bearer");
  const lines = [...header].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Error"}\r\n${lines}\r\n${body.toString()}`);
}
