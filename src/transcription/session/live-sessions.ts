/**
 * The sessions that this process serves: opens them, keeps them marked as alive, ends what a dead process left behind, and
 * brings all of them to an end when the server stops.
 */
import { randomUUID } from "node:crypto";
import { sleep } from "../../clock.ts";
import type { Clock } from "../../clock.ts";
import { SessionError } from "../session-error.ts";
import { Session } from "./session.ts";
import type { SessionDependencies, SessionOptions } from "./session-options.ts";

const touchIntervalMs = 20_000;
/** Three missed touches, with time to spare for a database that is away. */
const abandonedAfterMs = 90_000;
/** What sessions get after the deadline to bring their last words in safety. */
const lastWordsMs = 5_000;

export class LiveSessions {
  readonly #dependencies: SessionDependencies;
  readonly #sessions = new Set<Session>();
  #cancelTouch: (() => void) | undefined;
  #stopping = false;

  constructor(dependencies: SessionDependencies) {
    this.#dependencies = dependencies;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** Rejects with SessionError `stopping` once the server stops. */
  async open(options: Omit<SessionOptions, "sessionId">): Promise<Session> {
    if (this.#stopping) throw new SessionError("stopping", "the server is shutting down; try again");
    const session = await Session.open({ ...options, sessionId: randomUUID() }, this.#dependencies);
    this.#sessions.add(session);
    void session.closed.then(() => this.#sessions.delete(session));
    return session;
  }

  /** Begins to mark sessions as alive, and ends those that nobody serves any more. `all`: whatever is still active. */
  async start(options: { readonly endAll: boolean }): Promise<void> {
    await this.#dependencies.store.endAbandoned(options.endAll ? 0 : abandonedAfterMs);
    this.#scheduleTouch();
  }

  /** Tells every client the deadline, waits for the sessions to end, and at the deadline ends those that have not. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const { clock } = this.#dependencies;
    const deadline = new Date(clock.now() + graceMs);
    const sessions = [...this.#sessions];
    for (const session of sessions) session.announceStop(deadline);
    const allClosed = Promise.all(sessions.map((session) => session.closed));
    await withTimeLimit(clock, graceMs, allClosed);
    for (const session of sessions)
      session.fail(new SessionError("stopping", "the server is shutting down; try again"));
    await withTimeLimit(clock, lastWordsMs, allClosed);
    this.#cancelTouch?.();
  }

  #scheduleTouch(): void {
    const { clock, store, onProblem } = this.#dependencies;
    this.#cancelTouch = clock.after(touchIntervalMs, () => {
      const ids = [...this.#sessions].map((session) => session.sessionId);
      store
        .touch(ids)
        .then(() => store.endAbandoned(abandonedAfterMs))
        .catch((error: unknown) => onProblem("", "sessions could not be marked as alive", error));
      if (!this.#stopping) this.#scheduleTouch();
    });
  }
}

async function withTimeLimit(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  await Promise.race([work, sleep(clock, ms, done.signal).catch(() => undefined)]);
  done.abort();
}
