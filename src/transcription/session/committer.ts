/**
 * Writes a session's finals and its committed position, one transaction at a time, and says when they are safe. While the
 * database is away it waits and tries again: nothing is dropped, and nothing is called committed that is not.
 */
import { sleep } from "../../clock.ts";
import type { Clock } from "../../clock.ts";
import { SessionError } from "../session-error.ts";
import type { AudioGap, SessionCommit, SessionStore, StoredSegment } from "../session-store.ts";

export interface CommitterOptions {
  readonly store: Pick<SessionStore, "commit">;
  readonly sessionId: string;
  readonly epoch: number;
  readonly clock: Clock;
  /** A position that moved by less than this, without a final, is not worth a commit. */
  readonly minAdvanceSamples: number;
  /** What is committed already. */
  readonly committedThrough: number;
  /** What every commit says beside finals, gaps and position; asked anew for each. */
  readonly describe: () => Pick<SessionCommit, "sequenceCeiling" | "engine">;
  /** These finals and gaps and this position are in the database now. */
  readonly onCommitted: (commit: SessionCommit) => void;
  /** The database has not answered for a while. Once for each such time. */
  readonly onSlow: () => void;
  /** The session is no longer ours, or the database refuses. Nothing follows. */
  readonly onFailure: (error: SessionError) => void;
}

const slowAfterMs = 2_000;
const firstBackoffMs = 100;
const maxBackoffMs = 2_000;

export class Committer {
  readonly #options: CommitterOptions;
  readonly #closing = new AbortController();
  #pending: StoredSegment[] = [];
  #pendingGaps: AudioGap[] = [];
  #through: number;
  #committedThrough: number;
  #mustCommit = false;
  #inFlight: SessionCommit | undefined;
  #running: Promise<void> | undefined;
  #failure: SessionError | undefined;

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#through = options.committedThrough;
    this.#committedThrough = options.committedThrough;
  }

  /** A final, to be committed with the next advance. */
  add(segment: StoredSegment): void {
    this.#pending.push(segment);
  }

  /** A gap, to be committed with the next advance. */
  addGap(gap: AudioGap): void {
    this.#pendingGaps.push(gap);
  }

  /** Commits what there is now, also when it is not worth it. */
  request(): void {
    this.#mustCommit = true;
    this.#start();
  }

  /** Every final before this position has been added. Starts a commit when it is worth one. */
  advance(through: number): void {
    this.#through = Math.max(this.#through, through);
    if (this.#isWorthwhile()) this.#start();
  }

  /** Resolves when everything added so far is committed; rejects when it cannot be. */
  async flush(): Promise<void> {
    while (this.#isDirty() || this.#running) {
      if (this.#failure) throw this.#failure;
      this.#start();
      await this.#running;
    }
    if (this.#failure) throw this.#failure;
  }

  /** What was added and is not known to be committed; to commit it again does no harm. */
  get uncommitted(): Required<Pick<SessionCommit, "segments" | "gaps">> {
    return {
      segments: [...(this.#inFlight?.segments ?? []), ...this.#pending],
      gaps: [...(this.#inFlight?.gaps ?? []), ...this.#pendingGaps],
    };
  }

  /** Gives up on what is not committed yet. */
  close(): void {
    this.#failure ??= new SessionError("internal", "the session was closed before its words were committed");
    this.#closing.abort();
  }

  #isWorthwhile(): boolean {
    const advance = this.#through - this.#committedThrough;
    return (
      this.#mustCommit ||
      this.#pending.length > 0 ||
      this.#pendingGaps.length > 0 ||
      advance >= this.#options.minAdvanceSamples
    );
  }

  #isDirty(): boolean {
    return this.#pending.length > 0 || this.#pendingGaps.length > 0 || this.#through > this.#committedThrough;
  }

  #start(): void {
    if (this.#running || this.#failure) return;
    this.#running = this.#run().finally(() => (this.#running = undefined));
  }

  async #run(): Promise<void> {
    do {
      const commit: SessionCommit = {
        segments: this.#pending,
        gaps: this.#pendingGaps,
        committedThrough: this.#through,
        ...this.#options.describe(),
      };
      this.#pending = [];
      this.#pendingGaps = [];
      this.#mustCommit = false;
      this.#inFlight = commit;
      try {
        await retryWhileUnavailable(
          () => this.#options.store.commit(this.#options.sessionId, this.#options.epoch, commit),
          this.#options.clock,
          this.#closing.signal,
          this.#options.onSlow,
        );
      } catch (error) {
        this.#inFlight = undefined;
        this.#pending = [...commit.segments, ...this.#pending];
        this.#pendingGaps = [...(commit.gaps ?? []), ...this.#pendingGaps];
        if (this.#closing.signal.aborted) return;
        this.#failure = toSessionError(error);
        this.#options.onFailure(this.#failure);
        return;
      }
      this.#inFlight = undefined;
      this.#committedThrough = commit.committedThrough;
      this.#options.onCommitted(commit);
    } while (this.#isWorthwhile()); // more may have come while this commit was under way
  }
}

/** Runs `work` until it succeeds, fails for a reason that will not go away, or the signal aborts. */
export async function retryWhileUnavailable<T>(
  work: () => Promise<T>,
  clock: Clock,
  signal: AbortSignal,
  onSlow?: () => void,
): Promise<T> {
  const startedAt = clock.now();
  let saidSlow = false;
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isRetryable(error)) throw error;
      if (!saidSlow && clock.now() - startedAt >= slowAfterMs) {
        saidSlow = true;
        onSlow?.();
      }
      const backoffMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(attempt, 10));
      await sleep(clock, backoffMs * (0.5 + Math.random() / 2), signal);
    }
  }
}

/** Whether the database may answer later. */
export function isRetryable(error: unknown): boolean {
  return error instanceof Error && "retryable" in error && error.retryable === true;
}

function toSessionError(error: unknown): SessionError {
  if (isFenced(error))
    return new SessionError("superseded", "the session was continued by another stream, or has ended", error);
  return new SessionError("internal", "the session's words could not be written", error);
}

/** Whether the database says that the session is served elsewhere, or is over. */
export function isFenced(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "fenced";
}
