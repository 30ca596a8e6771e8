/**
 * Last words of sessions whose stream broke: heard, and not committed, since a client that comes back says them again. When
 * it does not come back within the window, or this server stops, they are written after all.
 */
import type { Clock } from "../../clock.ts";
import type { SessionStore } from "../session-store.ts";
import { isFenced, retryWhileUnavailable } from "./committer.ts";
import type { LastWords } from "./session.ts";

export interface KeptLastWordsOptions {
  readonly store: Pick<SessionStore, "commit" | "end">;
  readonly clock: Clock;
  /** How long a session can be continued, in milliseconds. */
  readonly windowMs: number;
  readonly onProblem: (sessionId: string, message: string, error: unknown) => void;
}

/**
 * The last words of a stream that broke before its client had said again what an earlier one had heard: then the earlier
 * ones are still the last. Only where it heard nothing at all, on no channel, so that no word is there twice.
 */
export function carryOver(earlier: LastWords, later: LastWords): LastWords {
  const heardThrough = later.commit.committedThrough;
  const [first] = earlier.commit.segments;
  const heardNothing =
    later.nextFinalNumber === (first?.finalNumber ?? later.nextFinalNumber) &&
    earlier.commit.segments.every((segment) => segment.startSample >= heardThrough);
  if (!heardNothing || earlier.commit.committedThrough <= heardThrough) return later;
  const segments = earlier.commit.segments.map((segment, index) => ({
    ...segment,
    segmentIndex: later.nextSegmentIndex + index,
    finalNumber: later.nextFinalNumber + index,
  }));
  return {
    ...later,
    durationMs: Math.max(earlier.durationMs, later.durationMs),
    commit: {
      ...later.commit,
      segments: [...later.commit.segments, ...segments],
      gaps: [...(later.commit.gaps ?? []), ...(earlier.commit.gaps ?? [])],
      committedThrough: earlier.commit.committedThrough,
    },
  };
}

interface Kept {
  readonly words: LastWords;
  readonly cancel: () => void;
}

export class KeptLastWords {
  readonly #options: KeptLastWordsOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #closing = new AbortController();

  constructor(options: KeptLastWordsOptions) {
    this.#options = options;
  }

  keep(sessionId: string, words: LastWords): void {
    this.forget(sessionId);
    const cancel = this.#options.clock.after(this.#options.windowMs, () => {
      this.#kept.delete(sessionId);
      void this.#write(sessionId, words, true);
    });
    this.#kept.set(sessionId, { words, cancel });
  }

  /** The session goes on, in this epoch: its client says them again. */
  forget(sessionId: string, epoch = Infinity): void {
    const kept = this.#kept.get(sessionId);
    if (!kept || kept.words.epoch >= epoch) return;
    kept.cancel();
    this.#kept.delete(sessionId);
  }

  /** What is kept of the session; from now on it is not. */
  take(sessionId: string): LastWords | undefined {
    const words = this.#kept.get(sessionId)?.words;
    this.forget(sessionId);
    return words;
  }

  /** Commits all of them now; their sessions can still be continued, behind them. Never rejects. */
  async writeAll(): Promise<void> {
    const all = [...this.#kept];
    for (const [sessionId] of all) this.forget(sessionId);
    await Promise.all(all.map(([sessionId, { words }]) => this.#write(sessionId, words, false)));
  }

  /** Gives up on what is not written. */
  close(): void {
    for (const sessionId of [...this.#kept.keys()]) this.forget(sessionId);
    this.#closing.abort();
  }

  async #write(sessionId: string, words: LastWords, isOver: boolean): Promise<void> {
    const { store, clock, onProblem } = this.#options;
    const { epoch, commit, durationMs, reason } = words;
    try {
      await retryWhileUnavailable(
        async () => {
          await store.commit(sessionId, epoch, commit);
          if (isOver)
            await store.end(sessionId, epoch, { reason, durationMs, endTime: new Date(clock.now()) });
        },
        clock,
        this.#closing.signal,
      );
    } catch (error) {
      // Fenced: the session was continued elsewhere, and its client said these words again.
      if (!isFenced(error))
        onProblem(sessionId, "the last words of a broken stream were not committed", error);
    }
  }
}
