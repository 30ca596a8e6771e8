/**
 * Finds the end of an answer in its bytes, however they are cut: the frame whose flag says that it holds the trailers. So
 * a call is over when its status is there, and need not wait until the socket is closed.
 */
import { trailerFlag } from "@connectrpc/connect/protocol-grpc-web";

/** Flags, and the length of what follows. */
const prefixBytes = 5;

export class FrameScanner {
  readonly #prefix = new Uint8Array(prefixBytes);
  #prefixLength = 0;
  #left = 0;

  /** True when the last byte of the trailers is among these, or was before. */
  scan(bytes: Uint8Array): boolean {
    let at = 0;
    for (;;) {
      while (this.#prefixLength < prefixBytes) {
        const byte = bytes[at];
        if (byte === undefined) return false;
        this.#prefix[this.#prefixLength++] = byte;
        at++;
        if (this.#prefixLength === prefixBytes) this.#left = new DataView(this.#prefix.buffer).getUint32(1);
      }
      const taken = Math.min(this.#left, bytes.length - at);
      this.#left -= taken;
      at += taken;
      if (this.#left > 0) return false;
      if (((this.#prefix[0] ?? 0) & trailerFlag) !== 0) return true;
      this.#prefixLength = 0;
    }
  }
}
