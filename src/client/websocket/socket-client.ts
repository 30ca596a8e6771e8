/**
 * An HTTP client as Connect wants one, over WebSockets: opens a socket for each call, sends head and body, and gives the
 * answer's head and body. Knows the messages of grpc-websockets and the frame of headers; the rest is bytes to it.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type {
  UniversalClientFn,
  UniversalClientRequest,
  UniversalClientResponse,
} from "@connectrpc/connect/protocol";
import { trailerFlag, trailerParse } from "@connectrpc/connect/protocol-grpc-web";
import { CallSocket } from "./call-socket.ts";
import { FrameScanner } from "./frame-scanner.ts";
import type { WebSocketConstructor } from "./web-socket.ts";

const subprotocol = "grpc-websockets";
const halfClose = Uint8Array.of(1);
/** Of a frame of gRPC-web: flags, and the length of what follows. */
const prefixBytes = 5;
/** Pieces that fit into one message of any server. */
const maxPieceBytes = 32 * 1024;

export function createSocketClient(webSocket: WebSocketConstructor): UniversalClientFn {
  return async (request) => {
    const socket = new CallSocket(webSocket, socketUrl(request.url), subprotocol, request.signal);
    try {
      const head = writeHead(request.header);
      await socket.opened;
      socket.send(head);
      void sendBody(socket, request);
      return await readAnswer(socket);
    } catch (error) {
      socket.fail(error);
      throw error;
    }
  };
}

function socketUrl(url: string): string {
  const { origin, protocol, host, pathname, search } = new URL(url);
  const scheme = protocol === "https:" || protocol === "wss:" ? "wss:" : "ws:";
  return `${origin === "null" ? `${scheme}//${host}` : origin.replace(/^[a-z]+:/, scheme)}${pathname}${search}`;
}

function writeHead(header: Headers): Uint8Array<ArrayBuffer> {
  let lines = "";
  header.forEach((value, name) => {
    if (!/^[\x20-\x7e\t]*$/.test(value)) {
      const message = `metadata "${name}" is not ASCII; send it in base64, under a name that ends with "-bin"`;
      throw new ConnectError(message, Code.InvalidArgument);
    }
    lines += `${name}: ${value}\r\n`;
  });
  return new TextEncoder().encode(lines);
}

/** Never rejects: what makes the body may fail, and then the call does. */
async function sendBody(socket: CallSocket, { body }: UniversalClientRequest): Promise<void> {
  try {
    for await (const bytes of body ?? []) {
      for (let at = 0; at < bytes.length; at += maxPieceBytes) {
        const piece = bytes.subarray(at, at + maxPieceBytes);
        const message = new Uint8Array(1 + piece.length); // first byte 0: a piece of the body
        message.set(piece, 1);
        socket.send(message);
        await socket.drained();
      }
      if (socket.isOver) return;
    }
    socket.send(halfClose);
  } catch (error) {
    socket.fail(error);
  }
}

/** The headers come in a frame of their own, first. */
async function readAnswer(socket: CallSocket): Promise<UniversalClientResponse> {
  const messages = socket[Symbol.asyncIterator]();
  let bytes = new Uint8Array(0);
  while (bytes.length < prefixBytes || bytes.length < frameLength(bytes)) {
    const next = await messages.next();
    if (next.done) throw new ConnectError("the server closed the socket without an answer", Code.Unavailable);
    bytes = joined(bytes, next.value);
    if ((bytes[0] ?? trailerFlag) !== trailerFlag) {
      throw new ConnectError("the answer does not begin with its headers", Code.Internal);
    }
  }
  const end = frameLength(bytes);
  const header = trailerParse(bytes.subarray(prefixBytes, end));
  return { status: 200, header, body: rest(bytes.subarray(end), messages, header), trailer: new Headers() };
}

/** Ends with the trailers. Whoever stops reading before has no use for the call. */
async function* rest(
  first: Uint8Array,
  messages: AsyncIterator<Uint8Array, undefined>,
  header: Headers,
): AsyncGenerator<Uint8Array, undefined> {
  const scanner = new FrameScanner();
  try {
    if (header.has("grpc-status")) return; // all there is to it
    if (first.length > 0) yield first;
    if (first.length > 0 && scanner.scan(first)) return;
    for (;;) {
      const next = await messages.next();
      if (next.done) return;
      yield next.value;
      if (scanner.scan(next.value)) return;
    }
  } finally {
    await messages.return?.();
  }
}

function frameLength(bytes: Uint8Array): number {
  return prefixBytes + new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(1);
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
