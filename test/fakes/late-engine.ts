/**
 * An engine whose results come when a test lets them: it wraps another one and holds back its events, and the settling of
 * finalize and end, in their order. What was held back when a stream is discarded comes late all the same, as from a process
 * that did not hear of it.
 */
import type {
  EngineStream,
  EngineStreamOptions,
  SpeechEngine,
} from "../../src/transcription/engines/speech-engine.ts";

export interface LateEngine extends SpeechEngine {
  /** Lets so many results out, oldest first. */
  release(count: number): void;
  /** From now on nothing is held back. */
  releaseAll(): void;
}

export function createLateEngine(inner: SpeechEngine): LateEngine {
  const held: (() => void)[] = [];
  let isHolding = true;
  const later = (result: () => void) => {
    if (isHolding) held.push(result);
    else result();
  };
  return {
    ...inner,
    async open(options: EngineStreamOptions, signal: AbortSignal): Promise<EngineStream> {
      const stream = await inner.open(
        { ...options, onEvent: (event) => later(() => options.onEvent(event)) },
        signal,
      );
      const afterEvents = (work: Promise<void>) =>
        new Promise<void>((resolve, reject) => {
          work.then(
            () => later(resolve),
            (error: unknown) =>
              later(() => reject(error instanceof Error ? error : new Error(String(error)))),
          );
        });
      return {
        write: (samples) => stream.write(samples),
        finalize: () => afterEvents(stream.finalize()),
        end: () => afterEvents(stream.end()),
      };
    },
    release(count) {
      for (const result of held.splice(0, count)) result();
    },
    releaseAll() {
      isHolding = false;
      for (const result of held.splice(0)) result();
    },
  };
}
