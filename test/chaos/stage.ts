/**
 * The sessions of a run: who speaks now, who is done, and what the database says of each. It asks GetSession, as any
 * service could; it breaks nothing and judges nothing.
 */
import { createClient } from "@connectrpc/connect";
import {
  SessionEndReason,
  SessionState,
  TranscriptionService,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { transportTo } from "../e2e/speech-client.ts";
import type { Recording } from "../bench/recordings.ts";
import type { SessionHistory, WireEvent } from "./history.ts";
import { Recorder, toFinal } from "./recorder.ts";

/** How long GetSession is asked again of a server that has just started. */
const answerWithinMs = 10_000;

interface StagedSession {
  readonly speaker: number;
  readonly name: string;
  readonly recorder: Recorder;
  isDone: boolean;
  failure?: string;
}

export class Stage {
  readonly #sessions: StagedSession[] = [];
  readonly #waiting = new Set<(event: WireEvent) => void>();
  readonly #client: ReturnType<typeof createClient<typeof TranscriptionService>>;
  readonly #recording: Recording;
  /** Set when no more sessions are to begin. */
  isOver = false;

  constructor(server: { readonly url: string; readonly apiKey: string }, recording: Recording) {
    this.#client = createClient(TranscriptionService, transportTo(server.url, server.apiKey));
    this.#recording = recording;
  }

  begin(speaker: number, name: string): Recorder {
    const recorder = new Recorder((event) => {
      for (const look of [...this.#waiting]) look(event);
    });
    this.#sessions.push({ speaker, name, recorder, isDone: false });
    return recorder;
  }

  /** The session is over for its app, which got an error or none. */
  async end(recorder: Recorder, failure?: string): Promise<void> {
    const session = this.#sessions.find((candidate) => candidate.recorder === recorder)!;
    if (failure !== undefined) session.failure = failure;
    session.isDone = true;
    await this.#snapshot(session);
  }

  /** Resolves with whether such an event passed on any session's wire within the time. */
  until(matches: (event: WireEvent) => boolean, timeoutMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const look = (event: WireEvent) => {
      if (matches(event)) finish(true);
    };
    const timer = setTimeout(() => finish(false), timeoutMs);
    const finish = (came: boolean) => {
      clearTimeout(timer);
      this.#waiting.delete(look);
      resolve(came);
    };
    this.#waiting.add(look);
    return promise;
  }

  /** Asks the database about every session that is not done. */
  async takeSnapshots(): Promise<void> {
    await Promise.all(this.#speaking().map((session) => this.#snapshot(session)));
  }

  /** Sessions whose last stream is open now, as a function of when each stream was closed. */
  openStreams(): { readonly speaker: number; readonly closedAtMs: () => number | undefined }[] {
    return this.#speaking().flatMap(({ speaker, recorder: { wire } }) => {
      const last = wire.findLast((event) => event.kind === "opened" || event.kind === "closed");
      if (last?.kind !== "opened") return [];
      const closed = () => wire.find((event) => event.kind === "closed" && event.stream === last.stream);
      return [{ speaker, closedAtMs: () => (closed() as { atMs: number } | undefined)?.atMs }];
    });
  }

  histories(): SessionHistory[] {
    return this.#sessions.map(({ name, recorder: { wire, seenByApp, snapshots }, failure, isDone }) => ({
      name,
      sampleRateHz: this.#recording.sampleRateHz,
      totalSamples: this.#recording.samples.length,
      wire,
      seenByApp,
      snapshots,
      ...(isDone ? {} : { failure: "no end: it was given up" }),
      ...(failure === undefined ? {} : { failure }),
    }));
  }

  #speaking(): StagedSession[] {
    return this.#sessions.filter((session) => !session.isDone);
  }

  async #snapshot({ recorder }: StagedSession): Promise<void> {
    const { sessionId } = recorder;
    if (sessionId === undefined) return;
    const giveUpAt = performance.now() + answerWithinMs;
    for (;;) {
      const afterEvents = recorder.wire.length;
      try {
        const { session, summary } = await this.#client.getSession({ sessionId }, { timeoutMs: 5_000 });
        recorder.snapshots.push({
          afterEvents,
          committedThroughSample: Number(session!.committedThroughSample),
          finals: summary!.transcriptSegments.map(toFinal),
          isCompleted:
            session!.state === SessionState.ENDED && session!.endReason === SessionEndReason.COMPLETED,
        });
        return;
      } catch (error) {
        if (performance.now() > giveUpAt) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
}
