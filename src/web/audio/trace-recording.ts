/** Traces a whole recording that this browser keeps, in a worker, a piece after the other. */
import { samplesPerMs } from "./sample-rate.ts";
import { startVoiceTracer } from "./start-voice-tracer.ts";
import { maxPieceSamples } from "./recording-store.ts";
import type { Recording, RecordingStore } from "./recording-store.ts";
import { traceFrameMs } from "./voice-tracer.ts";
import type { VoiceTrace } from "./voice-tracer.ts";

const frameSamples = traceFrameMs * samplesPerMs;

/** Undefined when the signal aborts first. An hour takes about 20 s. */
export function traceRecording(
  store: Pick<RecordingStore, "read">,
  { recordingId, endSample }: Recording,
  signal: AbortSignal,
): Promise<Pick<VoiceTrace, "levelsDbfs" | "pitchesHz"> | undefined> {
  const frames = Math.floor(endSample / frameSamples);
  const whole = { levelsDbfs: new Float32Array(frames), pitchesHz: new Float32Array(frames) };
  return new Promise((resolve, reject) => {
    let at = 0;
    const next = async () => {
      const samples = await store.read(recordingId, at, Math.min(at + maxPieceSamples, endSample));
      at += samples.length;
      tracer.trace(samples);
    };
    const end = (result: typeof whole | undefined) => {
      tracer.stop();
      resolve(result);
    };
    const fail = (error: Error) => {
      tracer.stop();
      reject(error);
    };
    const tracer = startVoiceTracer(({ firstFrame, levelsDbfs, pitchesHz }) => {
      whole.levelsDbfs.set(levelsDbfs, firstFrame);
      whole.pitchesHz.set(pitchesHz, firstFrame);
      if (firstFrame + levelsDbfs.length >= frames) end(whole);
      else next().catch(fail);
    });
    signal.addEventListener("abort", () => end(undefined));
    if (frames === 0 || signal.aborted) end(frames === 0 ? whole : undefined);
    else next().catch(fail);
  });
}
