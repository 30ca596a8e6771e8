/**
 * A TCP proxy that can stumble, to stand between a client and a real server: it cuts connections, refuses new ones, or
 * keeps them open and silent. It changes no byte.
 */
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** Connections open now. */
  connections(): number;
  /** By which the server knows them: the ports of their halves that lead to it. */
  upstreamPorts(): number[];
  /** Ends every connection with a reset; new ones are still served. */
  cut(): void;
  /** Ends every connection and refuses new ones, until resume. */
  refuse(): Promise<void>;
  /** Accepts, and passes nothing on in either direction, until resume. */
  stall(): void;
  /** Connections that are open now stay open and pass nothing on any more; new ones are served. */
  freeze(): void;
  /** Serves again. What was stalled is passed on, what was frozen is not. */
  resume(): Promise<void>;
  close(): Promise<void>;
}

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const frozen = new WeakSet<Socket>();
  let stalled = false;

  const server = createServer({ pauseOnConnect: true }, (client) => {
    const upstream = connect(target);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on("data", (bytes) => {
        if (!to.write(bytes)) from.pause();
      });
      to.on("drain", () => {
        if (!stalled && !frozen.has(from)) from.resume();
      });
      from.on("error", () => undefined);
      from.on("end", () => to.end());
      from.on("close", () => {
        to.destroy();
        pairs.delete(pair);
      });
      if (stalled) from.pause();
      else from.resume();
    }
  });
  const listen = async (port: number) => {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(undefined));
    await promise;
    server.off("error", reject);
  };
  const cut = () => {
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  };
  const refuse = async () => {
    if (!server.listening) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    server.close(() => resolve(undefined));
    cut();
    await promise;
  };

  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    connections: () => pairs.size,
    upstreamPorts: () => [...pairs].flatMap(([, upstream]) => upstream.localPort ?? []),
    cut,
    refuse,
    stall() {
      stalled = true;
      for (const socket of [...pairs].flat()) socket.pause();
    },
    freeze() {
      for (const socket of [...pairs].flat()) {
        frozen.add(socket);
        socket.pause();
      }
    },
    async resume() {
      stalled = false;
      for (const socket of [...pairs].flat()) if (!frozen.has(socket)) socket.resume();
      if (!server.listening) await listen(port);
    },
    close: refuse,
  };
}
