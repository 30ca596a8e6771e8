/**
 * Interviews from being asked for to having a report. Owns their states; the rules do the scoring, the queue does the
 * waiting, and neither knows the other.
 */
import { randomUUID } from "node:crypto";
import { sleep } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { DeliveryFigures, SpokenWord } from "../delivery/measure-delivery.ts";
import type { Page, PageRequest } from "../page.ts";
import { AnalysisError } from "./analysis-error.ts";
import type { Difficulty, InterviewStore, StoredInterview } from "./interview-store.ts";
import type { JobQueue } from "./jobs/job-queue.ts";
import { applyRules } from "./rules/apply-rules.ts";

/** A session as an analysis sees it. */
export interface AnalyzedSession {
  readonly userId: string;
  readonly roomName: string;
  readonly hasEnded: boolean;
  readonly words: readonly SpokenWord[];
  readonly figures: DeliveryFigures;
}

export interface InterviewsDependencies {
  readonly store: InterviewStore;
  readonly queue: JobQueue;
  readonly loadSession: (sessionId: string) => Promise<AnalyzedSession | undefined>;
  readonly clock: Clock;
}

export interface InterviewRequest {
  readonly sessionId?: string;
  readonly userId?: string;
  readonly roomName?: string;
  readonly caseQuestion?: string;
  readonly difficulty?: Difficulty;
  readonly candidateAnswer?: string;
}

/** Who asks: only what is theirs is there for them. Absent: everything is. */
export interface InterviewOwner {
  readonly userId: string;
  /** Only sessions of this room. */
  readonly roomName?: string;
}

/** How often a watched interview is looked at; another replica may be working on it. */
const watchIntervalMs = 250;

export class Interviews {
  readonly #dependencies: InterviewsDependencies;

  constructor(dependencies: InterviewsDependencies) {
    this.#dependencies = dependencies;
  }

  /** Begins to work on queued interviews. */
  async start(): Promise<void> {
    await this.#dependencies.queue.start({
      run: (interviewId) => this.#run(interviewId),
      giveUp: (interviewId, cause) => this.#giveUp(interviewId, cause),
    });
  }

  /** Stores an interview about an ended session, or about a text, and queues it. Throws AnalysisError. */
  async request(request: InterviewRequest, owner?: InterviewOwner): Promise<StoredInterview> {
    if (request.sessionId === undefined && request.candidateAnswer === undefined) {
      throw new AnalysisError("invalid", "session_id or candidate_answer: send at least one of them");
    }
    const session =
      request.sessionId === undefined ? undefined : await this.#sessionOf(request.sessionId, owner);
    if (session && !session.hasEnded)
      throw new AnalysisError("not-ready", "session_id: the session still runs; end it first");
    const userId = session?.userId ?? request.userId;
    if (userId === undefined) throw new AnalysisError("invalid", "user_id: required without a session_id");
    if (request.userId !== undefined && request.userId !== userId) {
      throw new AnalysisError("invalid", "user_id: the session is another user's");
    }
    return this.#create({ ...request, userId, ...(session ? { roomName: session.roomName } : {}) });
  }

  /** Queues a session that is just about to end, and whose words are all committed. Safe to repeat with the same id. */
  async requestForEndingSession(
    request: InterviewRequest & { interviewId: string; sessionId: string; userId: string },
  ): Promise<void> {
    if (await this.#dependencies.store.get(request.interviewId)) return;
    await this.#create(request, request.interviewId);
  }

  async get(interviewId: string, owner?: InterviewOwner): Promise<StoredInterview> {
    const interview = await this.#dependencies.store.get(interviewId);
    if (!interview || (owner && interview.userId !== owner.userId)) {
      throw new AnalysisError("not-found", "interview_id: no such interview");
    }
    return interview;
  }

  list(filter: { userId?: string; sessionId?: string }, page: PageRequest): Promise<Page<StoredInterview>> {
    return this.#dependencies.store.list(filter, page);
  }

  /** The interview now, and again each time that its state has changed; ends after "done" or "failed". */
  async *watch(
    interviewId: string,
    owner: InterviewOwner | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<StoredInterview> {
    let last: StoredInterview | undefined;
    for (;;) {
      const interview = await this.get(interviewId, owner);
      if (interview.state !== last?.state) yield interview;
      if (interview.state === "done" || interview.state === "failed") return;
      last = interview;
      await sleep(this.#dependencies.clock, watchIntervalMs, signal);
    }
  }

  async #sessionOf(sessionId: string, owner: InterviewOwner | undefined): Promise<AnalyzedSession> {
    const session = await this.#dependencies.loadSession(sessionId);
    const isTheirs =
      !owner ||
      (session?.userId === owner.userId &&
        (owner.roomName === undefined || session.roomName === owner.roomName));
    if (!session || !isTheirs) throw new AnalysisError("not-found", "session_id: no such session");
    return session;
  }

  async #create(
    request: InterviewRequest & { userId: string },
    interviewId: string = randomUUID(),
  ): Promise<StoredInterview> {
    const now = new Date(this.#dependencies.clock.now());
    const interview: StoredInterview = {
      ...request,
      interviewId,
      state: "queued",
      createTime: now,
      updateTime: now,
    };
    // The job is there before the interview: a process that dies in between leaves a job without an interview, which does
    // nothing, and never an interview that nobody works on.
    await this.#dependencies.queue.add(interview.interviewId);
    await this.#dependencies.store.create(interview);
    this.#dependencies.queue.wake();
    return interview;
  }

  async #run(interviewId: string): Promise<void> {
    const { store, clock } = this.#dependencies;
    const interview = await store.get(interviewId);
    if (!interview) throw new Error("the interview is not there yet");
    if (!(await store.update(interviewId, { state: "running", updateTime: new Date(clock.now()) }))) return;
    const session =
      interview.sessionId === undefined
        ? undefined
        : await this.#dependencies.loadSession(interview.sessionId);
    if (interview.sessionId !== undefined && !session) {
      await this.#giveUp(interviewId, "the session was deleted before it was analysed");
      return;
    }
    const report = applyRules({
      words: session?.words ?? [],
      ...(session ? { figures: session.figures } : {}),
      ...(interview.candidateAnswer === undefined ? {} : { text: interview.candidateAnswer }),
      ...(interview.caseQuestion === undefined ? {} : { question: interview.caseQuestion }),
      ...(interview.difficulty === undefined ? {} : { difficulty: interview.difficulty }),
    });
    await store.update(interviewId, { state: "done", report, updateTime: new Date(clock.now()) });
  }

  async #giveUp(interviewId: string, failureCause: string): Promise<void> {
    const updateTime = new Date(this.#dependencies.clock.now());
    await this.#dependencies.store.update(interviewId, { state: "failed", failureCause, updateTime });
  }
}
