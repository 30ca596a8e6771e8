/** Figures of a whole voice from its trace, as the delivery figures define them: medians, levels, spreads. Pure. */
import type { VoiceTrace } from "./voice-tracer.ts";

export interface VoiceFigures {
  /** Median fundamental frequency of voiced frames. */
  readonly medianHz: number;
  /** Standard deviation around the median, in semitones. */
  readonly pitchSpreadSemitones: number;
  /** Root mean square level of voiced frames. */
  readonly levelDbfs: number;
  /** Standard deviation of the levels of voiced frames. */
  readonly levelSpreadDb: number;
}

/** Below that a voice counts as monotone, or as flat. */
export const monotoneBelowSemitones = 2;
export const flatBelowDb = 3;

/** Less voice than this says nothing: two seconds. */
const leastFrames = 40;

/** Undefined when there is too little voice. */
export function measureVoice({
  levelsDbfs,
  pitchesHz,
}: Pick<VoiceTrace, "levelsDbfs" | "pitchesHz">): VoiceFigures | undefined {
  const voiced = Array.from(pitchesHz.keys()).filter((frame) => !Number.isNaN(pitchesHz[frame]));
  if (voiced.length < leastFrames) return undefined;
  const pitches = voiced.map((frame) => pitchesHz[frame] ?? NaN).sort((a, b) => a - b);
  const levels = voiced.map((frame) => levelsDbfs[frame] ?? NaN);
  const medianHz = pitches[Math.floor(pitches.length / 2)] ?? NaN;
  const power = mean(levels.map((level) => 10 ** (level / 10)));
  const meanLevel = mean(levels);
  return {
    medianHz,
    pitchSpreadSemitones: Math.sqrt(mean(pitches.map((hz) => (12 * Math.log2(hz / medianHz)) ** 2))),
    levelDbfs: 10 * Math.log10(power),
    levelSpreadDb: Math.sqrt(mean(levels.map((level) => (level - meanLevel) ** 2))),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
