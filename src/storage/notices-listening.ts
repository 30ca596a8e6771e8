/**
 * Notices through a server that every replica reaches. Listens over one connection of its own, from the first subscription
 * on, and sees to it that there is one again whenever it is lost, for ever. Knows of no server by name: how one listens and
 * sends is told by notices-postgres.ts and notices-redis.ts.
 */
import type { Logger } from "pino";
import { sleep } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { NoticeSubscriber, Notices } from "../notices.ts";
import { NoticeSubscribers, checkNotice } from "./notice-subscribers.ts";
import { storableText } from "./storable-text.ts";
import { toStorageError } from "./storage-error.ts";

export interface ListeningNoticesOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** Hears what is sent from the moment it resolves. Rejects, in bounded time, when that cannot be had; `signal` gives it up. */
  readonly listen: (onText: (text: string) => void, signal: AbortSignal) => Promise<NoticeConnection>;
  /** Sends to every replica, this one included. Rejects, in bounded time, when the server has not taken it. */
  readonly send: (text: string) => Promise<void>;
}

export interface NoticeConnection {
  /** Rejects when the connection ends by itself. Never resolves. */
  readonly lost: Promise<never>;
  /** Rejects, in bounded time, unless this connection still gets what is sent to it. */
  check(): Promise<void>;
  /** Never rejects. */
  close(): Promise<void>;
}

/** A connection that looks alive and is not is noticed after at most this and the time that `check` takes. */
const checkEveryMs = 15_000;

const firstWaitMs = 250;
const longestWaitMs = 10_000;

export class ListeningNotices implements Notices {
  readonly #options: ListeningNoticesOptions;
  readonly #subscribers: NoticeSubscribers;
  readonly #closing = new AbortController();
  #listening: Promise<void> | undefined;
  #hears = false;

  constructor(options: ListeningNoticesOptions) {
    this.#options = options;
    this.#subscribers = new NoticeSubscribers(options.log);
  }

  /** Whether somebody has subscribed, and nothing can be heard now. */
  get isDeaf(): boolean {
    return this.#listening !== undefined && !this.#hears;
  }

  async publish(topic: string, payload: string): Promise<void> {
    checkNotice(topic, payload);
    // All topics share a channel; topic and payload are told apart by the first newline.
    await this.#options.send(`${topic}\n${storableText(payload)}`);
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
          this.#hears = true;
          if (failures > 0) log.info("listens to other replicas again");
          failures = 0;
        });
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (failures === 0) {
          log.warn({ err: toStorageError(error) }, "cannot hear other replicas; trying again until it works");
        }
        this.#hears = false;
        failures += 1;
        const longestMs = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(failures - 1, 10));
        // Replicas that lost the same server must not all come back in the same moment.
        await sleep(clock, longestMs * (0.5 + Math.random() / 2), signal).catch(() => undefined);
      }
    }
  }

  /** Resolves when `signal` aborts; rejects when the connection cannot be had, or is lost. */
  async #listenUntilLost(signal: AbortSignal, onListening: () => void): Promise<void> {
    const { clock, listen } = this.#options;
    const connection = await listen((text) => this.#deliver(text), signal);
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
