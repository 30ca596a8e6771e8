/**
 * Carries a source's messages into a session until one of them ends, and sees to it that the session always does: complete
 * when the source ended well, otherwise with the reason.
 */
import { sleep } from "../../clock.ts";
import type { Clock } from "../../clock.ts";
import { SessionError } from "../session-error.ts";
import { asSessionError } from "../session/end-reason.ts";
import type { Session } from "../session/session.ts";
import type { SessionSource, SourceMessage } from "./session-source.ts";

export interface FeedOptions {
  readonly clock: Clock;
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal;
  /** A source that says nothing for so long is taken for dead. */
  readonly maxIdleMs: number;
}

/** Resolves when the session has been told of its end. Never rejects. */
export async function feedSession(
  session: Session,
  source: SessionSource,
  options: FeedOptions,
): Promise<void> {
  const { signal } = options;
  const onAbort = () => session.fail(new SessionError("client-gone", "the client is gone"));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const messages = source[Symbol.asyncIterator]();
    for (;;) {
      const next = await nextWithin(messages, options.maxIdleMs, options.clock);
      if (next.done) break;
      await apply(session, next.value);
    }
    await session.complete();
  } catch (error) {
    if (signal.aborted) onAbort();
    else session.fail(asSessionError(error));
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** The next message. Rejects with SessionError `idle` when it takes too long. */
export async function nextWithin<T>(
  messages: AsyncIterator<T, undefined>,
  ms: number,
  clock: Clock,
): Promise<IteratorResult<T, undefined>> {
  const arrived = new AbortController();
  const tooLate = sleep(clock, ms, arrived.signal).then(
    () =>
      Promise.reject(
        new SessionError(
          "idle",
          `no message for ${ms / 1000} s (STREAM_IDLE_SECONDS); send keep_alive when there is no audio`,
        ),
      ),
    () => new Promise<never>(() => undefined), // the message was there first
  );
  try {
    return await Promise.race([messages.next(), tooLate]);
  } finally {
    arrived.abort();
  }
}

async function apply(session: Session, message: SourceMessage): Promise<void> {
  switch (message.type) {
    case "audio":
      return session.audio(message.firstSample, message.data);
    case "finalize":
      return session.finalize();
    case "reauthenticated":
      session.reauthenticated(message.token);
      return;
    case "keep-alive":
      session.keepAlive();
      return;
  }
}
