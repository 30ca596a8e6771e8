/**
 * Tells HTTP/2 with prior knowledge from HTTP/1.1 by the first bytes of a cleartext connection. Leaves those bytes on
 * the socket for whoever serves it; never times out by itself and never answers.
 */
import type { Socket } from "node:net";

export type HttpProtocol = "http1" | "http2";

/** The client connection preface of RFC 9113, section 3.4. */
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** What the first bytes say; undefined while they are a true beginning of the preface, so at most 23 bytes. */
export function protocolOf(head: Buffer): HttpProtocol | undefined {
  const length = Math.min(head.length, preface.length);
  if (preface.compare(head, 0, length, 0, length) !== 0) return "http1";
  return length === preface.length ? "http2" : undefined;
}

/**
 * Reads until the protocol is known, puts the bytes back and calls `onKnown` once with the socket paused. A socket that
 * ends or fails before is destroyed and `onKnown` is not called; so it is after the returned function was called.
 */
export function detectProtocol(socket: Socket, onKnown: (protocol: HttpProtocol) => void): () => void {
  let head: Buffer = Buffer.alloc(0);
  const release = () => {
    socket.off("data", onData);
    socket.off("end", giveUp);
    socket.off("error", giveUp);
  };
  const giveUp = () => {
    release();
    // A reset that follows must not become an uncaught error.
    socket.on("error", () => undefined);
    socket.destroy();
  };
  const onData = (chunk: Buffer) => {
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    const protocol = protocolOf(head);
    if (protocol === undefined) return;
    release();
    socket.pause();
    socket.unshift(head);
    onKnown(protocol);
  };
  socket.on("data", onData);
  socket.on("end", giveUp);
  socket.on("error", giveUp);
  return giveUp;
}
