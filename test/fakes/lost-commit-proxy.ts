/**
 * A TCP proxy before a real PostgreSQL that loses, when it is told to, the answer to the next commit: what is in doubt then
 * has been committed. It changes no byte.
 */
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

export interface LostCommitProxy {
  readonly port: number;
  /** The answer to the next commit on any connection is lost, and the connection with it. */
  loseNextCommit(): void;
  /** Answers lost so far. */
  lost(): number;
  close(): Promise<void>;
}

/** A simple query of the frontend/backend protocol, version 3: type, length, text, NUL. */
const commit = Buffer.from([0x51, 0, 0, 0, 11, ...Buffer.from("commit"), 0]);

export async function startLostCommitProxy(target: { host: string; port: number }): Promise<LostCommitProxy> {
  const sockets = new Set<Socket>();
  let isArmed = false;
  let lost = 0;
  const server = createServer((client) => {
    const upstream = connect(target);
    let losesNext = false;
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => undefined);
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
    client.on("data", (bytes) => {
      if (isArmed && bytes.equals(commit)) {
        isArmed = false;
        losesNext = true;
      }
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (!losesNext) {
        client.write(bytes);
        return;
      }
      lost += 1;
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    loseNextCommit: () => void (isArmed = true),
    lost: () => lost,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
