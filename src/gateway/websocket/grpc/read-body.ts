/**
 * The request body of a call over grpc-websockets: a stream of bytes that messages carry in pieces, and its end. Reads no
 * frame of gRPC-web; that is its reader's.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type { SocketMessage } from "../web-socket-endpoint.ts";

/** First byte of a message that carries a piece of the body. */
const bodyPiece = 0x00;
/** The one byte of the message that ends the body. */
const halfClose = 0x01;

/**
 * Ends with the half-close. Throws ConnectError: CANCELED when the client closes the socket before, INVALID_ARGUMENT for a
 * message of another kind. `onEnd` is called at the half-close.
 */
export async function* readBody(
  messages: AsyncIterator<SocketMessage, undefined>,
  onEnd: () => void,
): AsyncGenerator<Uint8Array, undefined> {
  for (;;) {
    const next = await messages.next();
    if (next.done) throw new ConnectError("the client is gone", Code.Canceled);
    if (!("data" in next.value)) {
      throw new ConnectError("a text message in a call; send binary messages", Code.InvalidArgument);
    }
    const { data } = next.value;
    if (data.length === 0) continue;
    if (data[0] === halfClose && data.length === 1) {
      onEnd();
      return undefined;
    }
    if (data[0] !== bodyPiece) {
      const message = "a message that begins with neither 0 (body) nor is the one byte 1 (half-close)";
      throw new ConnectError(message, Code.InvalidArgument);
    }
    if (data.length > 1) yield data.subarray(1);
  }
}
