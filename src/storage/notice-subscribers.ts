/** Who in this process wants to hear of which topic. Knows nothing of how notices travel. */
import type { Logger } from "pino";
import { maxNoticeBytes } from "../notices.ts";
import type { NoticeSubscriber } from "../notices.ts";
import { StorageError } from "./storage-error.ts";

export class NoticeSubscribers {
  readonly #byTopic = new Map<string, Set<NoticeSubscriber>>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  add(topic: string, subscriber: NoticeSubscriber): () => void {
    // An object of its own, so that the same subscriber may come twice, and go once.
    const own = { ...subscriber };
    const subscribers = this.#byTopic.get(topic) ?? new Set();
    this.#byTopic.set(topic, subscribers.add(own));
    return () => {
      subscribers.delete(own);
      if (subscribers.size === 0 && this.#byTopic.get(topic) === subscribers) this.#byTopic.delete(topic);
    };
  }

  deliver(topic: string, payload: string): void {
    for (const subscriber of [...(this.#byTopic.get(topic) ?? [])]) {
      this.#guard(topic, () => subscriber.onNotice(payload));
    }
  }

  missed(): void {
    for (const [topic, subscribers] of [...this.#byTopic]) {
      for (const subscriber of [...subscribers]) this.#guard(topic, () => subscriber.onMissed());
    }
  }

  /** One that throws keeps the notice from nobody else. */
  #guard(topic: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#log.error({ topic, err: error }, "a subscriber of notices failed");
    }
  }
}

/** Throws StorageError `internal` for what no notice can be: a defect of the publisher. */
export function checkNotice(topic: string, payload: string): void {
  if (!/^[a-z0-9.-]{1,64}$/.test(topic)) {
    throw new StorageError("internal", "a notice's topic is 1 to 64 of a-z, 0-9, . and -");
  }
  const bytes = Buffer.byteLength(payload);
  if (bytes > maxNoticeBytes) {
    throw new StorageError(
      "internal",
      `a notice holds ${bytes} bytes, at most ${maxNoticeBytes} are possible; store it, and send its id`,
    );
  }
}
