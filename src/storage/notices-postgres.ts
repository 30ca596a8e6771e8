/**
 * Notices by PostgreSQL's LISTEN and NOTIFY. Publishing is one statement over the pool and needs no listener.
 *
 * LISTEN belongs to a connection: a pooler that hands out another one for each transaction (PgBouncer's "transaction" mode)
 * makes it useless. The connection's check notices that when it meets another connection.
 */
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import { ListeningNotices } from "./notices-listening.ts";
import { listen } from "./notices-postgres-connection.ts";

export interface PostgresNoticesOptions {
  readonly url: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** Longest wait for a connection, and for an answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Runs `select pg_notify($1, $2)` with these. */
  readonly notify: (channel: string, text: string) => Promise<void>;
}

const channel = "parley";

export function postgresNotices(options: PostgresNoticesOptions): ListeningNotices {
  return new ListeningNotices({
    log: options.log,
    clock: options.clock,
    listen: (onText, signal) => listen({ ...options, channel, onText, signal }),
    send: (text) => options.notify(channel, text),
  });
}
