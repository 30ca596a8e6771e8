/** A voice tracer in a worker of its own, as the page sees it. */
import type { VoiceTrace } from "./voice-tracer.ts";
import workerUrl from "./voice-tracer.worker.ts?worker&url";

export interface RunningVoiceTracer {
  /** Takes 16-bit mono at 16 kHz and leaves it untouched. */
  trace(samples: Int16Array): void;
  stop(): void;
}

/** `onTrace` gets the traces in order. A worker that cannot start traces nothing: captions matter more. */
export function startVoiceTracer(onTrace: (trace: VoiceTrace) => void): RunningVoiceTracer {
  const worker = new Worker(trusted(workerUrl), { type: "module" });
  worker.addEventListener("message", ({ data }: MessageEvent<VoiceTrace>) => {
    if (data.levelsDbfs.length > 0) onTrace(data);
  });
  return {
    trace: (samples) => worker.postMessage(samples),
    stop: () => worker.terminate(),
  };
}

/** The page's policy lets this policy alone name scripts of workers; it names the one that was bundled with it. */
const policy = globalThis.trustedTypes?.createPolicy("parley-worker", { createScriptURL: (url) => url });

/** Browsers without Trusted Types take the text as it is; DOM's types know only that. */
function trusted(url: string): string {
  return (policy?.createScriptURL(url) ?? url) as string;
}

declare global {
  /** Of the Trusted Types that DOM's types leave out, what is used here. */
  var trustedTypes:
    | {
        createPolicy(
          name: string,
          rules: { createScriptURL(url: string): string },
        ): { createScriptURL(url: string): unknown };
      }
    | undefined;
}
