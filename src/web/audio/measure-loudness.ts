/**
 * The level of a frame of 16-bit samples: root mean square in dB relative to a full-scale square wave, so that a sine at
 * full scale has -3 dBFS. Digital silence is given as `silenceDbfs`.
 */
export function measureLoudness(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const meanSquare = sum / (samples.length * 32_768 ** 2);
  return Math.max(silenceDbfs, 10 * Math.log10(meanSquare));
}

/** Below what 16 bits can hold. */
export const silenceDbfs = -96;
