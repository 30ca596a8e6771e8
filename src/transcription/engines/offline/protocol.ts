/** What the engine and its child processes say to each other. Audio and words cross here and are kept nowhere. */
import type { EngineEvent } from "../speech-engine.ts";

/** Absolute paths of the verified model files that a child process loads. */
export interface ModelPaths {
  readonly encoder: string;
  readonly crossAttentionKeys: string;
  readonly decoder: string;
  readonly voiceActivity: string;
}

/** Streams are numbered by the parent, never reused within a process. */
export type ParentMessage =
  | { readonly type: "load"; readonly models: ModelPaths }
  | { readonly type: "open"; readonly stream: number; readonly interimResults: boolean }
  | { readonly type: "audio"; readonly stream: number; readonly samples: Float32Array }
  /** Turn what was sent so far into finals; what is being said at the very end may wait. */
  | { readonly type: "finalize"; readonly stream: number }
  /** Turn everything into finals: nothing more will be sent. Answered as `finalize` is. */
  | { readonly type: "end"; readonly stream: number }
  /** Forget the stream at once and say nothing more about it. */
  | { readonly type: "abort"; readonly stream: number };

export type ChildMessage =
  | { readonly type: "loaded" }
  /** The models cannot be loaded; the process ends after this. */
  | { readonly type: "load-failed"; readonly reason: string }
  | { readonly type: "event"; readonly stream: number; readonly event: EngineEvent }
  /** How many of the stream's samples have left the input queue, in total. */
  | { readonly type: "taken"; readonly stream: number; readonly throughSample: number }
  | { readonly type: "finalized"; readonly stream: number }
  /** A defect while working on this stream; it is forgotten. */
  | { readonly type: "stream-failed"; readonly stream: number; readonly reason: string };
