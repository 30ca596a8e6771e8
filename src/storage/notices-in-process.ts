/** Notices where one process alone has the database: nothing is sent anywhere, and none is ever missed. */
import type { Logger } from "pino";
import type { Notices } from "../notices.ts";
import { NoticeSubscribers, checkNotice } from "./notice-subscribers.ts";
import { storableText } from "./storable-text.ts";

export function inProcessNotices(log: Logger): Notices {
  const subscribers = new NoticeSubscribers(log);
  return {
    async publish(topic, payload) {
      checkNotice(topic, payload);
      await Promise.resolve(); // never within the publisher's own call, as with PostgreSQL
      subscribers.deliver(topic, storableText(payload));
    },
    subscribe: (topic, subscriber) => subscribers.add(topic, subscriber),
  };
}
