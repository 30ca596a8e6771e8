/**
 * The pitch of one frame of voice, or that it has none. The method is YIN: A. de Cheveigné and H. Kawahara, "YIN, a
 * fundamental frequency estimator for speech and music", J. Acoust. Soc. Am. 111 (4), 2002, steps 2 to 5. Knows nothing of
 * the frames before.
 */
import { sampleRateHz } from "./sample-rate.ts";

export const lowestPitchHz = 60;
export const highestPitchHz = 500;

const longestPeriod = Math.ceil(sampleRateHz / lowestPitchHz);
const shortestPeriod = Math.floor(sampleRateHz / highestPitchHz);

/**
 * How much of the power may not repeat from one period to the next for a frame to count as voiced (the paper's absolute
 * threshold; it uses 0.1 for clean recordings, 0.1 to 0.2 is usual for microphones in rooms).
 */
const greatestAperiodicity = 0.2;

/**
 * Hz, between lowestPitchHz and highestPitchHz; undefined when the frame is not voiced. The frame is 16-bit mono at
 * 16 kHz of at least twice the longest period (534 samples, 33 ms); two and a half and more make it robust.
 */
export function estimatePitch(samples: Int16Array): number | undefined {
  const difference = differenceFunction(samples);
  const normalised = normaliseByMean(difference);
  let period = shortestPeriod;
  while (period <= longestPeriod && (normalised[period] ?? 1) >= greatestAperiodicity) period += 1;
  if (period > longestPeriod) return undefined;
  while (period < longestPeriod && (normalised[period + 1] ?? 1) < (normalised[period] ?? 1)) period += 1;
  const pitchHz = sampleRateHz / (period + vertexOffset(difference, period));
  return pitchHz >= lowestPitchHz && pitchHz <= highestPitchHz ? pitchHz : undefined;
}

/** Equation 6: the squared difference between the frame and itself, so many samples later. */
function differenceFunction(samples: Int16Array): Float64Array {
  const windowLength = samples.length - longestPeriod - 1;
  const difference = new Float64Array(longestPeriod + 2);
  for (let lag = 1; lag < difference.length; lag += 1) {
    let sum = 0;
    for (let index = 0; index < windowLength; index += 1) {
      const delta = (samples[index] ?? 0) - (samples[index + lag] ?? 0);
      sum += delta * delta;
    }
    difference[lag] = sum;
  }
  return difference;
}

/** Equation 8: each value by the mean of all up to it. 1 where nothing sounds. */
function normaliseByMean(difference: Float64Array): Float64Array {
  const normalised = new Float64Array(difference.length).fill(1);
  let sum = 0;
  for (let lag = 1; lag < difference.length; lag += 1) {
    sum += difference[lag] ?? 0;
    if (sum > 0) normalised[lag] = ((difference[lag] ?? 0) * lag) / sum;
  }
  return normalised;
}

/** Step 5: where, within half a sample of it, a parabola through the point and its neighbours is lowest. */
function vertexOffset(values: Float64Array, at: number): number {
  const before = values[at - 1] ?? 0;
  const middle = values[at] ?? 0;
  const after = values[at + 1] ?? 0;
  const curvature = before - 2 * middle + after;
  if (curvature <= 0) return 0;
  return Math.max(-0.5, Math.min(0.5, (before - after) / (2 * curvature)));
}
