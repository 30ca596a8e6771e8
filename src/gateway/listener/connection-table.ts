/** Every open connection, and how many each address holds. Refuses the one too many; never looks at what they carry. */
import type { Socket } from "node:net";

export interface ConnectionTable {
  /** Keeps the socket until it closes. False, with the socket destroyed, when there are too many. */
  admit(socket: Socket): boolean;
  size(): number;
  /** Resolves when there is none. */
  empty(): Promise<void>;
  /** Cuts every connection. */
  destroyAll(): void;
}

export function createConnectionTable(limits: { max: number; maxPerAddress: number }): ConnectionTable {
  const sockets = new Set<Socket>();
  const perAddress = new Map<string, number>();
  let waiting: (() => void)[] = [];
  return {
    admit(socket) {
      const key = addressKey(socket.remoteAddress);
      const held = perAddress.get(key) ?? 0;
      if (sockets.size >= limits.max || held >= limits.maxPerAddress) {
        socket.on("error", () => undefined);
        socket.destroy();
        return false;
      }
      sockets.add(socket);
      perAddress.set(key, held + 1);
      socket.once("close", () => {
        sockets.delete(socket);
        if (sockets.size === 0) {
          for (const resolve of waiting) resolve();
          waiting = [];
        }
        const left = (perAddress.get(key) ?? 1) - 1;
        if (left === 0) perAddress.delete(key);
        else perAddress.set(key, left);
      });
      return true;
    },
    size: () => sockets.size,
    empty: () =>
      new Promise((resolve) => {
        if (sockets.size === 0) resolve();
        else waiting.push(resolve);
      }),
    destroyAll() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** One customer is one IPv4 address, or the first 64 bits of an IPv6 one. */
export function addressKey(address: string | undefined): string {
  if (address === undefined) return "";
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = address.split("::", 2);
  const groups = head === "" ? [] : head.split(":");
  const missing = tail === undefined ? 0 : Math.max(0, 8 - groups.length - tail.split(":").length);
  const all = [...groups, ...Array.from({ length: missing }, () => "0"), ...(tail ?? "").split(":")];
  return all.slice(0, 4).join(":");
}
