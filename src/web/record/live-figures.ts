/**
 * How it is said, while it is said: pace from the finals by the server's own formulas, what the server counts, and the last
 * half minute of loudness and pitch. Bounded: an hour has 720 points of pace, and a trace 600 frames.
 */
import { signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import type { DeliveryUpdate } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { TranscriptionEvent } from "../../client/index.ts";
import type { PacePoint, Span } from "../../delivery/delivery-figures.ts";
import { isWord } from "../../delivery/is-word.ts";
import { paceTimeline } from "../../delivery/pace-timeline.ts";
import { traceFrameMs } from "../audio/voice-tracer.ts";
import type { VoiceTrace } from "../audio/voice-tracer.ts";

export const traceWindowMs = 30_000;
const traceFrames = traceWindowMs / traceFrameMs;

/** The newest frames of a voice; NaN where nothing is known. */
export interface TraceWindow {
  /** Of its first frame, on the session clock. */
  readonly startMs: number;
  readonly levelsDbfs: Float32Array;
  readonly pitchesHz: Float32Array;
}

export class LiveFigures {
  readonly #pace = signal<readonly PacePoint[]>([]);
  readonly #counts = signal<DeliveryUpdate | undefined>(undefined);
  readonly #trace = signal<TraceWindow>(emptyWindow(0));
  readonly #finalWords: Span[] = [];
  #heardToMs = 0;
  #isStale = false;

  /** In windows of 15 s, one every 5 s, up to where finals are complete. */
  readonly pace: ReadonlySignal<readonly PacePoint[]> = this.#pace;
  /** What the server last counted. */
  readonly counts: ReadonlySignal<DeliveryUpdate | undefined> = this.#counts;
  readonly trace: ReadonlySignal<TraceWindow> = this.#trace;

  take(event: TranscriptionEvent): void {
    if (event.case === "deliveryUpdate") this.#counts.value = event.value;
    if (event.case === "transcript" && event.value.isFinal) {
      for (const word of event.value.words) if (isWord(word.text)) this.#finalWords.push(word);
      this.#isStale = true;
    }
    if (event.case === "audioAck" && event.value.throughMs > this.#heardToMs) {
      this.#heardToMs = event.value.throughMs;
      this.#isStale = true;
    }
    if (event.case === "audioAck" && this.#isStale) {
      this.#pace.value = paceTimeline(this.#finalWords, this.#heardToMs);
      this.#isStale = false;
    }
  }

  /** `sessionStartMs`: where on the session clock the traced samples began. */
  takeTrace(trace: VoiceTrace, sessionStartMs: number): void {
    const old = this.#trace.peek();
    const added = trace.levelsDbfs.length;
    const endMs = sessionStartMs + (trace.firstFrame + added) * traceFrameMs;
    const window = emptyWindow(endMs - traceWindowMs);
    const kept = Math.max(0, traceFrames - added);
    for (const name of ["levelsDbfs", "pitchesHz"] as const) {
      window[name].set(old[name].subarray(traceFrames - kept));
      window[name].set(trace[name].subarray(Math.max(0, added - traceFrames)), kept);
    }
    this.#trace.value = window;
  }
}

function emptyWindow(startMs: number): TraceWindow & Record<"levelsDbfs" | "pitchesHz", Float32Array> {
  return {
    startMs,
    levelsDbfs: new Float32Array(traceFrames).fill(NaN),
    pitchesHz: new Float32Array(traceFrames).fill(NaN),
  };
}
