/**
 * How every ONNX session of the engine is created. One thread: the graphs are small, and streams share the processor
 * better than operators do. Without the arena and the memory pattern a session gives memory back between segments of
 * different lengths: 60 to 90 MB less, at the price of a fifth more work.
 */
import type { InferenceSession } from "onnxruntime-node";

export const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  enableCpuMemArena: false,
  enableMemPattern: false,
  logSeverityLevel: 3,
};
