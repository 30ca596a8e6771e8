/**
 * Short messages between the replicas that share a database: "this changed, look again". Implemented in storage/. A notice
 * is no record: whoever misses one is told that it may have, and reads again what it would have said.
 */

export interface Notices {
  /**
   * Tells every subscriber of the topic, on every replica, this one included. Resolves once what carries it, the database or
   * Redis, has taken it, which may be before or after it is delivered. Rejects when it has not; what follows from that is
   * the caller's to decide.
   *
   * `topic`: 1 to 64 of a-z, 0-9, "." and "-". `payload`: at most `maxNoticeBytes` in UTF-8. No secrets, no words spoken: the
   * carrier may log it.
   */
  publish(topic: string, payload: string): Promise<void>;
  /** From now on. The returned function ends it. */
  subscribe(topic: string, subscriber: NoticeSubscriber): () => void;
}

export interface NoticeSubscriber {
  /** In the order in which they were taken. */
  readonly onNotice: (payload: string) => void;
  /**
   * Notices may have been missed until just now, and none is from here on: read again what they would have said. Called
   * after each break, and once when listening first begins, if that is later than the subscription. While the break lasts
   * nothing is called; a subscriber that must not be late for longer than so long reads again on its own clock.
   */
  readonly onMissed: () => void;
}

/** PostgreSQL takes less than 8000 bytes, topic included. */
export const maxNoticeBytes = 7900;
