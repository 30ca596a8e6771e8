/**
 * One connection to Redis that serves until it breaks, and is never repaired: whoever needs it opens another. Every wait is
 * bounded, and a connection that has not answered in time is ended, since what it was asked may still be done.
 *
 * Speaks RESP2 and sends no more than AUTH, CLIENT SETNAME, SUBSCRIBE, PUBLISH and PING, so that any server will do that
 * has publish and subscribe, also for a user who may do nothing else.
 */
import { isIP } from "node:net";
import { createClient } from "@redis/client";
import { toRedisError } from "./redis-error.ts";
import { StorageError } from "./storage-error.ts";

/** What a URL says of a Redis. */
export interface RedisTarget {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly username?: string;
  readonly password?: string;
}

export interface RedisConnectionOptions {
  readonly target: RedisTarget;
  /** How Redis's own list of clients names it. */
  readonly name: string;
  /** Longest wait for the connection, and for an answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Gives up opening. Has no effect once the connection is open. */
  readonly signal?: AbortSignal;
}

/** Rejects with StorageError and with nothing else. */
export interface RedisConnection {
  /** Rejects when the connection ends. Never resolves. */
  readonly lost: Promise<never>;
  /** To be called once. `onMessage` gets what is published to the channels from the moment this resolves. */
  subscribe(channels: readonly string[], onMessage: (text: string, channel: string) => void): Promise<void>;
  /** Not after `subscribe`. Resolves once Redis has taken it. */
  publish(channel: string, text: string): Promise<void>;
  /** Not after `subscribe`. */
  ping(): Promise<void>;
  close(): void;
}

/** What may wait for answers at once; a Redis that answers at all is never so far behind. */
const maxQueuedCommands = 10_000;

/** Rejects with StorageError when Redis does not answer, refuses, or does not answer in time. */
export async function connectToRedis(options: RedisConnectionOptions): Promise<RedisConnection> {
  const { target, name, timeoutMs, signal } = options;
  if (signal?.aborted) throw givenUp();
  const { host, port, isTls, ...login } = target;
  const socket = { host, port, connectTimeout: timeoutMs, reconnectStrategy: false } as const;
  const client = createClient({
    ...login,
    socket: isTls ? { ...socket, tls: true, ...(isIP(host) === 0 && { servername: host }) } : socket,
    RESP: 2,
    name,
    commandsQueueMaxLength: maxQueuedCommands,
    disableClientInfo: true,
    maintNotifications: "disabled",
  });
  const { promise: lost, reject: lose } = Promise.withResolvers<never>();
  lost.catch(() => undefined); // it is told to whoever waits, and nobody may
  let isOver = false;
  const end = (error: StorageError) => {
    isOver = true;
    lose(error); // first, so that whoever waits for an answer hears this and not that the client was destroyed
    client.destroy();
  };
  const giveUp = () => end(givenUp());
  // A reply that is none, from a server that is no Redis, comes here too, and the client would read on.
  client.on("error", (error: unknown) => end(toRedisError(error)));
  // The client destroys no socket that is still connecting; it comes by here when it has connected.
  client.on("connect", () => {
    if (isOver) client.destroy();
  });

  const answerTo = async <T>(asked: Promise<T>): Promise<T> => {
    const late = () => end(new StorageError("unavailable", "Redis did not answer in time"));
    const timer = setTimeout(late, timeoutMs);
    try {
      return await Promise.race([asked, lost]);
    } catch (error) {
      throw toRedisError(error);
    } finally {
      clearTimeout(timer);
    }
  };

  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    await answerTo(client.connect());
  } catch (error) {
    end(toRedisError(error));
    throw error;
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
  return {
    lost,
    subscribe: (channels, onMessage) => answerTo(client.subscribe([...channels], onMessage)),
    async publish(channel, text) {
      await answerTo(client.publish(channel, text));
    },
    async ping() {
      await answerTo(client.ping());
    },
    close: giveUp,
  };
}

function givenUp(): StorageError {
  return new StorageError("unavailable", "the connection to Redis was given up");
}

/**
 * Reads `redis://user:password@host:port`, or `rediss://` for TLS. A database number has no effect: channels belong to none.
 * By hand, because the client's own reader repeats the whole URL in its errors. Throws StorageError.
 */
export function readRedisUrl(url: string): RedisTarget {
  const { protocol, hostname, port, username, password } = new URL(url);
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1") || "localhost",
    port: Number(port || 6379),
    isTls: protocol === "rediss:",
    ...(username !== "" && { username: decode(username) }),
    ...(password !== "" && { password: decode(password) }),
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new StorageError(
      "internal",
      "REDIS_URL: expected %25 for a percent sign in the user or the password",
    );
  }
}
