/** Traces voices away from the page's thread: samples in, traces out, in order, one tracer a worker. */
import { VoiceTracer } from "./voice-tracer.ts";

const tracer = new VoiceTracer();

self.addEventListener("message", ({ data }: MessageEvent<Int16Array>) => {
  const trace = tracer.trace(data);
  self.postMessage(trace, { transfer: [trace.levelsDbfs.buffer, trace.pitchesHz.buffer] });
});
