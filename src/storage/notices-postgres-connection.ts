/** One connection to PostgreSQL that listens. Owns its socket, so that it can be ended when nothing answers any more. */
import { randomUUID } from "node:crypto";
import { Socket } from "node:net";
import pg from "pg";
import type { Clock } from "../clock.ts";
import type { NoticeConnection } from "./notices-listening.ts";
import { StorageError } from "./storage-error.ts";

export interface ListenOptions {
  readonly url: string;
  readonly channel: string;
  readonly clock: Clock;
  /** Longest wait for the connection, for an answer, and for the end, in milliseconds. */
  readonly timeoutMs: number;
  readonly onText: (text: string) => void;
  /** Gives up opening. Has no effect once the connection is open. */
  readonly signal: AbortSignal;
}

/** Rejects when PostgreSQL does not answer, refuses, or does not answer in time. */
export async function listen(options: ListenOptions): Promise<NoticeConnection> {
  const { clock, timeoutMs } = options;
  const socket = new Socket();
  const client = new pg.Client({
    connectionString: options.url,
    application_name: "parley notices",
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    keepAlive: true,
    stream: () => socket,
  });
  const { promise: lost, reject: lose } = Promise.withResolvers<never>();
  lost.catch(() => undefined); // it is told to whoever waits, and nobody may
  client.on("error", lose);
  const ended = new Promise<void>((resolve) => client.once("end", resolve));
  void ended.then(() => lose(new StorageError("unavailable", "the connection to the database was lost")));

  // Of this connection alone: no other replica hears its checks.
  const ownChannel = `${options.channel}_${randomUUID().replaceAll("-", "")}`;
  let checksHeard = 0;
  client.on("notification", ({ channel, payload = "" }) => {
    if (channel === ownChannel) checksHeard += 1;
    else options.onText(payload);
  });
  const close = async () => {
    const late = Promise.withResolvers<undefined>();
    const cancel = clock.after(timeoutMs, () => late.resolve(undefined));
    client.end().catch(() => undefined);
    await Promise.race([ended, late.promise]);
    cancel();
    socket.destroy();
  };
  const giveUp = () => void socket.destroy();
  options.signal.addEventListener("abort", giveUp, { once: true });
  try {
    options.signal.throwIfAborted();
    await client.connect();
    await client.query(`listen ${options.channel}; listen ${ownChannel}`);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    options.signal.removeEventListener("abort", giveUp);
  }
  return {
    lost,
    close,
    async check() {
      const before = checksHeard;
      try {
        // PostgreSQL delivers what a connection sends to itself before it answers.
        await Promise.race([client.query(`notify ${ownChannel}`), lost]);
      } catch (error) {
        socket.destroy(); // a question is open on it: it would wait for the answer before it ends
        throw error;
      }
      if (checksHeard > before) return;
      throw new StorageError(
        "unavailable",
        "the connection does not get its own notices; " +
          "DATABASE_URL must lead to PostgreSQL directly, or through a pooler in session mode",
      );
    },
  };
}
