/** A voice tracer in a worker of its own, as the page sees it. */
import type { VoiceTrace } from "./voice-tracer.ts";

export interface RunningVoiceTracer {
  /** Takes 16-bit mono at 16 kHz and leaves it untouched. */
  trace(samples: Int16Array): void;
  stop(): void;
}

/** `onTrace` gets the traces in order. A worker that cannot start traces nothing: captions matter more. */
export function startVoiceTracer(onTrace: (trace: VoiceTrace) => void): RunningVoiceTracer {
  const worker = new Worker(new URL("./voice-tracer.worker.ts", import.meta.url), { type: "module" });
  worker.addEventListener("message", ({ data }: MessageEvent<VoiceTrace>) => {
    if (data.levelsDbfs.length > 0) onTrace(data);
  });
  return {
    trace: (samples) => worker.postMessage(samples),
    stop: () => worker.terminate(),
  };
}
