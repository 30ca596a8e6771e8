/**
 * What a session writes of itself beside its words: that it began, broke off, was completed, is to be analysed. Waits for a
 * database that is away until it is told to give up.
 */
import { createHash } from "node:crypto";
import type { EngineRecord, SessionEndReason } from "../session-store.ts";
import { retryWhileUnavailable } from "./committer.ts";
import { endReasonOf } from "./end-reason.ts";
import { hashResumeToken } from "./resume-token.ts";
import type { SessionDependencies, SessionOptions } from "./session-options.ts";
import type { SessionError } from "../session-error.ts";

export class SessionRecord {
  readonly #options: SessionOptions;
  readonly #dependencies: Pick<SessionDependencies, "store" | "clock" | "queueAnalysis">;
  readonly #epoch: number;
  readonly #giveUp = new AbortController();

  constructor(
    options: SessionOptions,
    dependencies: Pick<SessionDependencies, "store" | "clock" | "queueAnalysis">,
    epoch: number,
  ) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#epoch = epoch;
  }

  /** Not repeated when the database is away: nothing is lost yet. */
  async create(engine: EngineRecord, createTime: Date, sequenceCeiling: number): Promise<void> {
    const { sessionId, userId, roomName, participantIdentity, languageCode, format } = this.#options;
    const { resumeToken, interimResults, analyzeOnEnd, caseQuestion, keyterms, diarize } = this.#options;
    await this.#dependencies.store.create(
      {
        sessionId,
        userId,
        roomName,
        participantIdentity,
        sampleRateHz: format.sampleRateHz,
        channelCount: format.channelCount,
        languageCode,
        ...engine,
        createTime,
      },
      {
        resumeTokenHash: hashResumeToken(resumeToken),
        options: {
          encoding: format.encoding,
          interimResults,
          analyzeOnEnd,
          ...(caseQuestion === undefined ? {} : { caseQuestion }),
          keyterms,
          diarize,
        },
        sequenceCeiling,
      },
    );
  }

  async end(reason: SessionEndReason, durationMs: number, interviewId?: string): Promise<void> {
    const { store, clock } = this.#dependencies;
    const end = {
      reason,
      durationMs,
      endTime: new Date(clock.now()),
      ...(interviewId === undefined ? {} : { interviewId }),
    };
    await this.#untilDatabaseAnswers(() => store.end(this.#options.sessionId, this.#epoch, end));
  }

  /** `sequence` is the number of the last event. */
  async interrupt(error: SessionError, durationMs: number, sequence: number): Promise<void> {
    const interruption = { reason: endReasonOf(error), durationMs, sequence };
    const { store } = this.#dependencies;
    await this.#untilDatabaseAnswers(() =>
      store.interrupt(this.#options.sessionId, this.#epoch, interruption),
    );
  }

  /** Returns the interview's id: always the same, so that a stream that completes the session again queues nothing new. */
  async queueAnalysis(): Promise<string> {
    const { sessionId, userId, roomName, caseQuestion } = this.#options;
    const interviewId = interviewIdOf(sessionId);
    const request = {
      interviewId,
      sessionId,
      userId,
      roomName,
      ...(caseQuestion === undefined ? {} : { caseQuestion }),
    };
    await this.#untilDatabaseAnswers(() => this.#dependencies.queueAnalysis(request));
    return interviewId;
  }

  /** What is under way and has to wait for the database rejects, and so will what comes later. */
  giveUp(): void {
    this.#giveUp.abort();
  }

  #untilDatabaseAnswers(work: () => Promise<void>): Promise<void> {
    return retryWhileUnavailable(work, this.#dependencies.clock, this.#giveUp.signal);
  }
}

/** A UUID of version 8 (RFC 9562), of the session's id. */
function interviewIdOf(sessionId: string): string {
  const bytes = createHash("sha256").update(`interview of ${sessionId}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
