/**
 * Sends to channels of Redis over one connection, opened when it is first needed and again after each that broke. Keeps
 * nothing for later: what cannot be sent now rejects, in bounded time, and the caller knows.
 */
import { connectToRedis } from "./redis-connection.ts";
import type { RedisConnection, RedisConnectionOptions } from "./redis-connection.ts";

export class RedisPublisher {
  readonly #options: RedisConnectionOptions;
  #connection: Promise<RedisConnection> | undefined;
  readonly #closing = new AbortController();

  constructor(options: Omit<RedisConnectionOptions, "signal">) {
    this.#options = { ...options, signal: this.#closing.signal };
  }

  /** Resolves once Redis has taken it. Rejects with StorageError. */
  async publish(channel: string, text: string): Promise<void> {
    await (await this.#open()).publish(channel, text);
  }

  /** Rejects with StorageError unless Redis answers. */
  async ping(): Promise<void> {
    await (await this.#open()).ping();
  }

  /** Ends the connection, and what waits for it. Never rejects. */
  async close(): Promise<void> {
    this.#closing.abort();
    const connection = await this.#connection?.catch(() => undefined);
    connection?.close();
  }

  /** All that come while it is being opened wait for the same one. */
  #open(): Promise<RedisConnection> {
    if (this.#connection) return this.#connection;
    const opening = connectToRedis(this.#options);
    this.#connection = opening;
    opening
      .then(({ lost }) => lost)
      .catch(() => {
        if (this.#connection === opening) this.#connection = undefined;
      });
    return opening;
  }
}
