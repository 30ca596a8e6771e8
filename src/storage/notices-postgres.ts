/**
 * Notices by PostgreSQL's LISTEN and NOTIFY. Listens over one connection of its own, from the first subscription on, and
 * sees to it that there is one again whenever it is lost. Publishing is one statement over the pool and needs no listener.
 *
 * LISTEN belongs to a connection: a pooler that hands out another one for each transaction (PgBouncer's "transaction" mode)
 * makes it useless. The check below notices that when it meets another connection.
 */
import type { Logger } from "pino";
import { sleep } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { NoticeSubscriber, Notices } from "../notices.ts";
import { listen } from "./notice-connection.ts";
import { NoticeSubscribers, checkNotice } from "./notice-subscribers.ts";
import { storableText } from "./storable-text.ts";
import { toStorageError } from "./storage-error.ts";

export interface PostgresNoticesOptions {
  readonly url: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** Longest wait for a connection, and for an answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Runs `select pg_notify($1, $2)` with these. */
  readonly notify: (channel: string, text: string) => Promise<void>;
}

/** All topics share it; topic and payload are told apart by the first newline. */
const channel = "parley";

/** A connection that looks alive and is not is noticed after at most this and `timeoutMs`. */
const checkEveryMs = 15_000;

const firstWaitMs = 250;
const longestWaitMs = 10_000;

export class PostgresNotices implements Notices {
  readonly #options: PostgresNoticesOptions;
  readonly #subscribers: NoticeSubscribers;
  readonly #closing = new AbortController();
  #listening: Promise<void> | undefined;

  constructor(options: PostgresNoticesOptions) {
    this.#options = options;
    this.#subscribers = new NoticeSubscribers(options.log);
  }

  async publish(topic: string, payload: string): Promise<void> {
    checkNotice(topic, payload);
    await this.#options.notify(channel, `${topic}\n${storableText(payload)}`);
  }

  subscribe(topic: string, subscriber: NoticeSubscriber): () => void {
    const remove = this.#subscribers.add(topic, subscriber);
    this.#listening ??= this.#keepListening(this.#closing.signal);
    return remove;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#listening;
  }

  /** Never rejects. Whether a break is worth telling is said once for each. */
  async #keepListening(signal: AbortSignal): Promise<void> {
    const { log, clock } = this.#options;
    let failures = 0;
    for (;;) {
      try {
        await this.#listenUntilLost(signal, () => {
          if (failures > 0) log.info("listens to other replicas again");
          failures = 0;
        });
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (failures === 0) {
          log.warn({ err: toStorageError(error) }, "cannot hear other replicas; trying again until it works");
        }
        failures += 1;
        const longestMs = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(failures - 1, 10));
        // Replicas that lost the same PostgreSQL must not all come back in the same moment.
        await sleep(clock, longestMs * (0.5 + Math.random() / 2), signal).catch(() => undefined);
      }
    }
  }

  /** Resolves when `signal` aborts; rejects when the connection cannot be had, or is lost. */
  async #listenUntilLost(signal: AbortSignal, onListening: () => void): Promise<void> {
    const { clock } = this.#options;
    const onText = (text: string) => this.#deliver(text);
    const connection = await listen({ ...this.#options, channel, onText, signal });
    const done = new AbortController();
    const stop = AbortSignal.any([signal, done.signal]);
    const stopped = rejectsWith(stop);
    try {
      onListening();
      this.#subscribers.missed();
      for (;;) {
        await Promise.race([sleep(clock, checkEveryMs, stop), connection.lost]);
        await Promise.race([connection.check(), stopped]);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      done.abort();
      await connection.close();
    }
  }

  #deliver(text: string): void {
    const end = text.indexOf("\n");
    this.#subscribers.deliver(text.slice(0, end), text.slice(end + 1));
  }
}

function rejectsWith(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  return promise;
}
