/**
 * Notices by publish and subscribe of Redis, for replicas that share a PostgreSQL. Redis keeps none of them, and nothing
 * else of Parley's. Listens over one connection and publishes over another, since one that has subscribed can publish
 * nothing.
 *
 * Each check is a message that must come back: published as notices are, it proves both connections, and that they lead to
 * servers that share what is published.
 */
import { createHash, randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { Notices } from "../notices.ts";
import { healthOf } from "./health.ts";
import type { StorageHealth } from "./health.ts";
import { ListeningNotices } from "./notices-listening.ts";
import type { NoticeConnection } from "./notices-listening.ts";
import { connectToRedis, readRedisUrl } from "./redis-connection.ts";
import type { RedisConnectionOptions } from "./redis-connection.ts";
import { toRedisError } from "./redis-error.ts";
import { RedisPublisher } from "./redis-publisher.ts";
import { StorageError } from "./storage-error.ts";
import type { Database } from "./tables.ts";

export interface RedisNoticesOptions {
  /** As readRedisUrl reads it. */
  readonly url: string;
  /** That of the replicas which hear each other. */
  readonly db: Database;
  readonly log: Logger;
  readonly clock: Clock;
  /** Longest wait for a connection, and for an answer, in milliseconds. */
  readonly timeoutMs: number;
}

export interface RedisNotices extends Notices {
  /** Asks Redis; answers within 2 s, and never rejects. */
  readonly health: () => Promise<StorageHealth>;
  close(): Promise<void>;
}

/** Rejects when the database cannot be read, or the URL. Does not wait for Redis, which may come later. */
export async function openRedisNotices(options: RedisNoticesOptions): Promise<RedisNotices> {
  const { log, clock, timeoutMs } = options;
  const target = readRedisUrl(options.url);
  const channel = await channelOf(options.db);
  const connection = (name: string) => ({ target, name, timeoutMs });
  const publisher = new RedisPublisher(connection("parley-publisher"));
  const notices = new ListeningNotices({
    log,
    clock,
    listen: (onText, signal) =>
      listen({ ...connection("parley-notices"), channel, publisher, onText, signal }),
    send: (text) => publisher.publish(channel, text),
  });
  return {
    publish: (topic, payload) => notices.publish(topic, payload),
    subscribe: (topic, subscriber) => notices.subscribe(topic, subscriber),
    health: healthOf("redis", async () => {
      await publisher.ping();
      if (notices.isDeaf) throw new StorageError("unavailable", "nothing can be heard from other replicas");
    }),
    async close() {
      await Promise.all([notices.close(), publisher.close()]);
    },
  };
}

/** Whether notices could go over this Redis: sends one that must come back. Never rejects. */
export async function tryRedis(url: string, timeoutMs: number): Promise<StorageHealth> {
  try {
    const connection = { target: readRedisUrl(url), name: "parley-doctor", timeoutMs };
    await sendOneToSelf({ ...connection, publisher: new RedisPublisher(connection) });
    return { ready: true, detail: "redis" };
  } catch (error) {
    return { ready: false, detail: `redis: ${toRedisError(error).message}` };
  }
}

async function sendOneToSelf(options: Omit<ListenOptions, "channel" | "onText">): Promise<void> {
  try {
    const listening = await listen({ ...options, channel: "parley:doctor", onText: () => undefined });
    await listening.check().finally(() => listening.close());
  } finally {
    await options.publisher.close();
  }
}

/**
 * Replicas of one database share a channel, and two installations on one Redis do not. The database's name and the moment at
 * which its first table was made tell it from others, whatever URL leads to it. A copy of it has the same, and its replicas
 * then read again for nothing, which harms nobody.
 */
async function channelOf(db: Database): Promise<string> {
  const { rows } = await sql<{ identity: string }>`
    select current_database() || ' ' || min(timestamp) as identity from kysely_migration
  `.execute(db);
  const identity = rows[0]?.identity ?? "";
  return `parley:${createHash("sha256").update(identity).digest("hex").slice(0, 16)}`;
}

interface ListenOptions extends RedisConnectionOptions {
  readonly channel: string;
  readonly publisher: RedisPublisher;
  readonly onText: (text: string) => void;
}

async function listen(options: ListenOptions): Promise<NoticeConnection> {
  const { channel, publisher, onText, timeoutMs } = options;
  const connection = await connectToRedis(options);
  // Of this connection alone: no other replica hears its checks.
  const ownChannel = `${channel}:${randomUUID()}`;
  let heardCheck = () => {};
  try {
    await connection.subscribe([channel, ownChannel], (text, from) => {
      if (from === ownChannel) heardCheck();
      else onText(text);
    });
  } catch (error) {
    connection.close();
    throw error;
  }
  return {
    lost: connection.lost,
    async check() {
      const { promise: heard, resolve } = Promise.withResolvers<undefined>();
      heardCheck = () => resolve(undefined);
      await publisher.publish(ownChannel, "");
      const late = Promise.withResolvers<never>();
      const timer = setTimeout(() => {
        const reason =
          "Redis takes notices and does not pass them on; " +
          "REDIS_URL must lead to one server, or to several that share what is published";
        late.reject(new StorageError("unavailable", reason));
      }, timeoutMs);
      try {
        await Promise.race([heard, connection.lost, late.promise]);
      } finally {
        clearTimeout(timer);
      }
    },
    close() {
      connection.close();
      return Promise.resolve();
    },
  };
}
