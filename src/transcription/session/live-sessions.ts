/**
 * The sessions that this process serves: opens and continues them, keeps them marked as alive, calls interrupted what a dead
 * process left behind, ends what nobody came back for, and brings all of them to a safe place when the server stops.
 */
import { randomUUID } from "node:crypto";
import { sleep } from "../../clock.ts";
import type { Clock } from "../../clock.ts";
import { SessionError } from "../session-error.ts";
import { continueSession } from "./continue-session.ts";
import type { ContinueRequest, CompletedSession } from "./continue-session.ts";
import { KeptLastWords, carryOver } from "./kept-last-words.ts";
import { createResumeToken } from "./resume-token.ts";
import { Session } from "./session.ts";
import type { LastWords } from "./session.ts";
import type { SessionDependencies, SessionOptions } from "./session-options.ts";
import { isSelected } from "./token-selector.ts";
import type { TokenSelector } from "./token-selector.ts";

/** How long a session can be continued after its stream broke, in milliseconds. */
export const resumeWindowMs = 10 * 60_000;
/** What another replica's last words get after that, before the session is ended without them. */
const lastWordsSlackMs = 60_000;
const touchIntervalMs = 20_000;
/** Three missed touches, with time to spare for a database that is away. */
const abandonedAfterMs = 90_000;
/** What sessions get after the deadline to bring their last words in safety. */
const lastWordsMs = 3_000;

export interface LiveSessionsDependencies extends SessionDependencies {
  /** Tells other replicas that a session is served here from now on, in this epoch. Best effort. */
  readonly announceTakeOver?: (sessionId: string, epoch: number) => void;
}

export class LiveSessions {
  readonly #dependencies: LiveSessionsDependencies;
  readonly #sessions = new Map<string, Session>();
  readonly #opening = new Set<Promise<unknown>>();
  /** Sessions that are just being continued, and the newest epoch known of them. */
  readonly #continuing = new Map<
    string,
    { streams: number; epoch: number; earlier?: LastWords | undefined }
  >();
  readonly #lastWords: KeptLastWords;
  #cancelTouch: (() => void) | undefined;
  /** Set once the server stops. */
  #deadline: Date | undefined;
  /** Since when the database has answered without a failure. */
  #answeringSince: number | undefined;

  constructor(dependencies: LiveSessionsDependencies) {
    this.#dependencies = dependencies;
    const { store, clock, onProblem } = dependencies;
    this.#lastWords = new KeptLastWords({ store, clock, onProblem, windowMs: resumeWindowMs });
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** Rooms in which somebody is being heard. */
  get roomCount(): number {
    return new Set([...this.#sessions.values()].map((session) => session.speaker.roomName)).size;
  }

  /** Rejects with SessionError `stopping` once the server stops. */
  open(options: Omit<SessionOptions, "sessionId" | "resumeToken">): Promise<Session> {
    return this.#serve(() =>
      Session.open(
        { ...options, sessionId: randomUUID(), resumeToken: createResumeToken() },
        this.#dependencies,
      ),
    );
  }

  /**
   * Continues a session, here or elsewhere begun; its older stream ends with SessionError `superseded`. One that was
   * completed meanwhile is only told about. Rejects with SessionError `unknown-session`, `session-over`, or as `open`.
   */
  async resume(request: ContinueRequest): Promise<Session | CompletedSession> {
    const { sessionId } = request;
    const continuing = this.#continuing.get(sessionId) ?? { streams: 0, epoch: 0 };
    this.#continuing.set(sessionId, continuing);
    continuing.streams += 1;
    let takenOver = 0;
    try {
      return await this.#serve(() =>
        continueSession(request, {
          ...this.#dependencies,
          windowMs: resumeWindowMs,
          onTakenOver: (epoch) => {
            takenOver = epoch;
            continuing.earlier = this.#lastWords.take(sessionId) ?? continuing.earlier;
            this.supersede(sessionId, epoch);
            this.#dependencies.announceTakeOver?.(sessionId, epoch);
          },
        }),
      );
    } catch (error) {
      // Nobody has said them again. Where another stream was quicker, its epoch fences them.
      if (continuing.earlier && takenOver > 0)
        this.#lastWords.keep(sessionId, { ...continuing.earlier, epoch: takenOver });
      throw error;
    } finally {
      continuing.streams -= 1;
      if (continuing.streams === 0) this.#continuing.delete(sessionId);
    }
  }

  /** The session is served elsewhere, in this epoch: an older stream of it here ends at once. */
  supersede(sessionId: string, epoch: number): void {
    const session = this.#sessions.get(sessionId);
    if (session && session.epoch < epoch)
      session.fail(new SessionError("superseded", "another stream continues the session"));
    if (!session) this.#lastWords.forget(sessionId, epoch);
    const continuing = this.#continuing.get(sessionId);
    if (continuing) continuing.epoch = Math.max(continuing.epoch, epoch);
  }

  /** As supersede, for whatever the database says of the sessions here. */
  async lookForTakeOvers(): Promise<void> {
    const epochs = await this.#dependencies.store.epochs([...this.#sessions.keys()]);
    for (const [sessionId, epoch] of epochs) this.supersede(sessionId, epoch);
  }

  /** Ends the streams that such tokens opened, at once. Their sessions can be continued with a good one. Returns how many. */
  revoke(selector: TokenSelector): number {
    const revoked = [...this.#sessions.values()].filter((session) =>
      isSelected({ ...session.speaker, token: session.token }, selector),
    );
    for (const session of revoked) session.fail(new SessionError("token-expired", "the token was revoked"));
    return revoked.length;
  }

  /** Begins to mark sessions as alive. `takeAll`: nobody else serves this database, so what is active is left over. */
  async start(options: { readonly takeAll: boolean }): Promise<void> {
    if (options.takeAll) await this.#dependencies.store.interruptAbandoned(0);
    this.#scheduleTouch();
  }

  /** Tells every client the deadline, waits for the sessions to end, and at the deadline ends those that have not. */
  async stop(graceMs: number): Promise<void> {
    const { clock } = this.#dependencies;
    this.#deadline = new Date(clock.now() + graceMs);
    for (const session of this.#sessions.values()) this.#announceStop(session);
    await withTimeLimit(clock, graceMs, this.#allClosed());
    for (const session of this.#sessions.values()) {
      session.fail(new SessionError("stopping", "the server is shutting down; resume"));
    }
    const written = this.#allClosed().then(() => this.#lastWords.writeAll());
    await withTimeLimit(clock, lastWordsMs, written);
    this.#lastWords.close();
    this.#cancelTouch?.();
  }

  async #serve<T extends Session | CompletedSession>(open: () => Promise<T>): Promise<T> {
    if (this.#deadline) throw new SessionError("stopping", "the server is shutting down; try again");
    const opening = open();
    this.#opening.add(opening);
    try {
      const opened = await opening;
      if (opened instanceof Session) this.#add(opened);
      return opened;
    } finally {
      this.#opening.delete(opening);
    }
  }

  #add(session: Session): void {
    const { sessionId, epoch } = session;
    const newest = Math.max(
      this.#sessions.get(sessionId)?.epoch ?? 0,
      this.#continuing.get(sessionId)?.epoch ?? 0,
    );
    if (newest > epoch) {
      session.fail(new SessionError("superseded", "another stream continues the session"));
      return; // it took long to open, and was overtaken
    }
    const earlier = this.#continuing.get(sessionId)?.earlier;
    this.#sessions.set(sessionId, session);
    void session.closed.then(() => {
      const isCurrent = this.#sessions.get(sessionId) === session;
      if (isCurrent) this.#sessions.delete(sessionId);
      if (isCurrent && session.lastWords)
        this.#lastWords.keep(sessionId, earlier ? carryOver(earlier, session.lastWords) : session.lastWords);
    });
    this.#announceStop(session); // the stop may have come meanwhile
  }

  #announceStop(session: Session): void {
    if (this.#deadline) session.announceStop(this.#deadline);
  }

  async #allClosed(): Promise<void> {
    await Promise.allSettled(this.#opening);
    await Promise.all([...this.#sessions.values()].map((session) => session.closed));
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
   * Sessions that nobody serves are called so only when the database has answered for as long as that takes: after an
   * outage every replica must first have had the time to mark its own.
   */
  async #touch(): Promise<void> {
    const { clock, store } = this.#dependencies;
    const served = [...this.#sessions.values()].filter((session) => !session.isBroken);
    await store.touch(served.map(({ sessionId, epoch }) => ({ sessionId, epoch })));
    this.#answeringSince ??= clock.now();
    if (clock.now() - this.#answeringSince >= abandonedAfterMs)
      await store.interruptAbandoned(abandonedAfterMs);
    await store.endInterrupted(resumeWindowMs + lastWordsSlackMs);
  }
}

async function withTimeLimit(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  await Promise.race([work, sleep(clock, ms, done.signal).catch(() => undefined)]);
  done.abort();
}
