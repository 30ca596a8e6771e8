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
const lastWordsMs = 3_000;

export class LiveSessions {
  readonly #dependencies: SessionDependencies;
  readonly #sessions = new Set<Session>();
  readonly #opening = new Set<Promise<Session>>();
  #cancelTouch: (() => void) | undefined;
  /** Set once the server stops. */
  #deadline: Date | undefined;
  /** Since when the database has answered without a failure. */
  #answeringSince: number | undefined;

  constructor(dependencies: SessionDependencies) {
    this.#dependencies = dependencies;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** Rejects with SessionError `stopping` once the server stops. */
  async open(options: Omit<SessionOptions, "sessionId">): Promise<Session> {
    if (this.#deadline) throw new SessionError("stopping", "the server is shutting down; try again");
    const opening = Session.open({ ...options, sessionId: randomUUID() }, this.#dependencies);
    this.#opening.add(opening);
    try {
      const session = await opening;
      this.#sessions.add(session);
      void session.closed.then(() => this.#sessions.delete(session));
      this.#announceStop(session); // the stop may have come meanwhile
      return session;
    } finally {
      this.#opening.delete(opening);
    }
  }

  /** Begins to mark sessions as alive. `endAll`: nobody else serves this database, so what is active is left over. */
  async start(options: { readonly endAll: boolean }): Promise<void> {
    if (options.endAll) await this.#dependencies.store.endAbandoned(0);
    this.#scheduleTouch();
  }

  /** Tells every client the deadline, waits for the sessions to end, and at the deadline ends those that have not. */
  async stop(graceMs: number): Promise<void> {
    const { clock } = this.#dependencies;
    this.#deadline = new Date(clock.now() + graceMs);
    for (const session of this.#sessions) this.#announceStop(session);
    await withTimeLimit(clock, graceMs, this.#allClosed());
    for (const session of this.#sessions) {
      session.fail(new SessionError("stopping", "the server is shutting down; try again"));
    }
    await withTimeLimit(clock, lastWordsMs, this.#allClosed());
    this.#cancelTouch?.();
  }

  #announceStop(session: Session): void {
    if (this.#deadline) session.announceStop(this.#deadline);
  }

  async #allClosed(): Promise<void> {
    await Promise.allSettled(this.#opening);
    await Promise.all([...this.#sessions].map((session) => session.closed));
  }

  #scheduleTouch(): void {
    const { clock, onProblem } = this.#dependencies;
    this.#cancelTouch = clock.after(touchIntervalMs, () => {
      this.#touch().catch((error: unknown) => {
        this.#answeringSince = undefined;
        onProblem("", "sessions could not be marked as alive", error);
      });
      this.#scheduleTouch();
    });
  }

  /**
   * Sessions that nobody serves are ended only when the database has answered for as long as it takes to call them so:
   * after an outage every replica must first have had the time to mark its own.
   */
  async #touch(): Promise<void> {
    const { clock, store } = this.#dependencies;
    await store.touch([...this.#sessions].map((session) => session.sessionId));
    this.#answeringSince ??= clock.now();
    if (clock.now() - this.#answeringSince >= abandonedAfterMs) await store.endAbandoned(abandonedAfterMs);
  }
}

async function withTimeLimit(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  await Promise.race([work, sleep(clock, ms, done.signal).catch(() => undefined)]);
  done.abort();
}
