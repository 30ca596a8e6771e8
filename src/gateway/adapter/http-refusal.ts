/** A refusal for which HTTP has a status of its own, where its gRPC code would give a vaguer one. */
import type { Code } from "@connectrpc/connect";

/** Not a ConnectError: that class takes whatever is called so for its own kind, subclasses not told apart. */
export class HttpRefusal extends Error {
  override readonly name = "HttpRefusal";
  /** HTTP status. */
  readonly status: number;
  readonly code: Code;

  constructor(status: number, code: Code, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
