import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findToxiproxy, installLine, startToxiproxy } from "./toxiproxy.ts";
import type { ToxicProxy, Toxiproxy } from "./toxiproxy.ts";

const binary = findToxiproxy();
const title = `toxiproxy${binary === undefined ? ` (skipped: it is not here: ${installLine})` : ""}`;

describe.skipIf(binary === undefined)(title, () => {
  let toxiproxy: Toxiproxy;
  let proxy: ToxicProxy;
  const echo = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });

  beforeAll(async () => {
    echo.listen(0, "127.0.0.1");
    await once(echo, "listening");
    toxiproxy = await startToxiproxy(binary!);
    proxy = await toxiproxy.proxyTo(target());
  });
  afterAll(async () => {
    await toxiproxy.close();
    echo.close();
  });

  const target = () => `http://127.0.0.1:${(echo.address() as AddressInfo).port}`;
  const open = ({ url } = proxy) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined);
    return socket;
  };
  const echoes = async (socket: Socket, text: string) => {
    socket.write(text);
    const [bytes] = (await once(socket, "data")) as [Buffer];
    return bytes.toString();
  };

  test("passes everything on, delays it, and passes it on again", async () => {
    const socket = open();
    expect(await echoes(socket, "one")).toBe("one");
    const end = await proxy.add({ type: "latency", latency: 200 }, ["upstream", "downstream"]);
    const startedAt = performance.now();
    expect(await echoes(socket, "two")).toBe("two");
    expect(performance.now() - startedAt).toBeGreaterThan(390);
    await end();
    expect(await echoes(socket, "three")).toBe("three");
    socket.destroy();
  });

  test("cuts connections that are open", async () => {
    const socket = open();
    await echoes(socket, "one");
    const end = await proxy.add({ type: "reset_peer", timeout: 0 }, ["upstream", "downstream"]);
    socket.write("two");
    await once(socket, "close");
    await end();
  });

  test("leaves a connection half open: nothing comes, and it is not closed until the fault is over", async () => {
    const socket = open();
    await echoes(socket, "one");
    const end = await proxy.add({ type: "timeout", timeout: 0 }, ["upstream", "downstream"]);
    const heard: string[] = [];
    socket.on("data", (bytes: Buffer) => heard.push(bytes.toString()));
    socket.write("two");
    const other = open(await toxiproxy.proxyTo(target()));
    expect(await echoes(other, "three")).toBe("three"); // time in which "two" could have come back
    other.destroy();
    expect(socket.closed).toBe(false);
    const closed = once(socket, "close");
    await end();
    await closed;
    expect(heard).toEqual([]);
  });

  test("says what it refuses", async () => {
    await expect(proxy.add({ type: "no-such" } as never, ["upstream"])).rejects.toThrow("invalid toxic type");
  });
});
