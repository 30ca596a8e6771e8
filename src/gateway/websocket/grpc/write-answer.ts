/**
 * Writes the answer of a call over grpc-websockets: a block of headers, the frames of gRPC-web, whose last is the block of
 * trailers, each in messages of their own. A refusal is a block of headers that holds the status.
 */
import type { ConnectError } from "@connectrpc/connect";
import { setTrailerStatus, trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { ServerSocket } from "../web-socket-endpoint.ts";

/** Resolves when all is sent. Rejects when the client does not take it, or what makes the body fails. */
export async function writeAnswer(socket: ServerSocket, answer: UniversalServerResponse): Promise<void> {
  const header = new Headers(answer.header);
  socket.sendData(fieldsFrame(header));
  for await (const piece of answer.body ?? []) {
    socket.sendData(piece);
    await socket.drained();
  }
}

export function writeRefusal(socket: ServerSocket, error: ConnectError, requestId: string): void {
  const header = new Headers({ "content-type": "application/grpc-web+proto", "x-request-id": requestId });
  setTrailerStatus(header, error);
  socket.sendData(fieldsFrame(header));
}

function fieldsFrame(fields: Headers): Uint8Array {
  const lines = trailerSerialize(fields);
  const frame = new Uint8Array(5 + lines.length);
  frame[0] = trailerFlag;
  new DataView(frame.buffer).setUint32(1, lines.length);
  frame.set(lines, 5);
  return frame;
}
