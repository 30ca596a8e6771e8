/** Makes a trace of any length into at most so many points for a chart. Pure. */
import { traceFrameMs } from "./voice-tracer.ts";
import type { VoiceTrace } from "./voice-tracer.ts";

export interface ThinTrace {
  /** Middle of each point, in seconds of the session. */
  readonly seconds: number[];
  /** The loudest frame of each point, in dBFS. */
  readonly levelsDbfs: number[];
  /** The median of each point's voiced frames, in Hz; null where there is no voice. */
  readonly pitchesHz: (number | null)[];
}

export function thinTrace(
  { levelsDbfs, pitchesHz }: Pick<VoiceTrace, "levelsDbfs" | "pitchesHz">,
  maxPoints: number,
): ThinTrace {
  const framesPerPoint = Math.max(1, Math.ceil(levelsDbfs.length / maxPoints));
  const thin: ThinTrace = { seconds: [], levelsDbfs: [], pitchesHz: [] };
  for (let frame = 0; frame < levelsDbfs.length; frame += framesPerPoint) {
    const levels = levelsDbfs.subarray(frame, frame + framesPerPoint);
    const voiced = pitchesHz
      .subarray(frame, frame + framesPerPoint)
      .filter((hz) => !Number.isNaN(hz))
      .sort();
    thin.seconds.push(((frame + levels.length / 2) * traceFrameMs) / 1000);
    thin.levelsDbfs.push(Math.max(...levels));
    thin.pitchesHz.push(voiced[Math.floor(voiced.length / 2)] ?? null);
  }
  return thin;
}
