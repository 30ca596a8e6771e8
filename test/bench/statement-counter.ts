/**
 * A TCP proxy before PostgreSQL that reads along what clients ask: how often they wait for an answer, and for which
 * statement. https://www.postgresql.org/docs/current/protocol-message-formats.html; without TLS.
 */
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";

export interface StatementCounter {
  readonly port: number;
  /** Round trips since the last call, by the text of their statement. */
  take(): ReadonlyMap<string, number>;
  close(): void;
}

export async function startStatementCounter(target: {
  host: string;
  port: number;
}): Promise<StatementCounter> {
  let counts = new Map<string, number>();
  const server = createServer((client) => {
    const upstream = connect(target);
    const reader = new FrontendReader((text) => counts.set(text, (counts.get(text) ?? 0) + 1));
    client.on("data", (bytes: Buffer) => reader.read(bytes));
    for (const socket of [client, upstream]) socket.on("error", () => undefined);
    client.pipe(upstream).pipe(client);
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    take() {
      const taken = counts;
      counts = new Map();
      return taken;
    },
    close: () => void server.close(),
  };
}

/** Cuts what a client sends into messages. */
class FrontendReader {
  readonly #onRoundTrip: (statement: string) => void;
  #rest: Buffer = Buffer.alloc(0);
  #isStarted = false;
  #parsed = "";

  constructor(onRoundTrip: (statement: string) => void) {
    this.#onRoundTrip = onRoundTrip;
  }

  read(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const typeBytes = this.#isStarted ? 1 : 0; // the first message has no type
      if (this.#rest.length < typeBytes + 4) return;
      const end = typeBytes + this.#rest.readUInt32BE(typeBytes);
      if (this.#rest.length < end) return;
      if (this.#isStarted)
        this.#take(String.fromCharCode(this.#rest[0]!), this.#rest.subarray(typeBytes + 4, end));
      this.#isStarted = true;
      this.#rest = this.#rest.subarray(end);
    }
  }

  #take(type: string, body: Buffer): void {
    if (type === "P") this.#parsed = body.toString().split("\0")[1] ?? "";
    if (type === "S") this.#onRoundTrip(this.#parsed);
    if (type === "Q") this.#onRoundTrip(body.toString().split("\0")[0] ?? "");
  }
}
