/** Made-up sound: tones, glides and noise, as numbers that come out the same on every machine. */

/** A sine of amplitude 1 whose frequency moves evenly from one to the other; starts at phase 0. */
export function tone(options: {
  readonly fromHz: number;
  readonly toHz?: number;
  readonly seconds: number;
  readonly rateHz: number;
}): Float32Array {
  const { fromHz, toHz = fromHz, seconds, rateHz } = options;
  return Float32Array.from({ length: Math.round(seconds * rateHz) }, (_, index) => {
    const time = index / rateHz;
    return Math.sin(2 * Math.PI * (fromHz * time + ((toHz - fromHz) * time * time) / (2 * seconds)));
  });
}

/** Like a voice: a fundamental with harmonics that are louder than it, as vowels have; its frequency moves evenly. */
export function vowel(options: {
  readonly fromHz: number;
  readonly toHz?: number;
  readonly seconds: number;
  readonly rateHz: number;
}): Float32Array {
  const strengths = [0.25, 0.5, 0.35, 0.15, 0.1, 0.05];
  const sum = new Float32Array(Math.round(options.seconds * options.rateHz));
  for (const [index, strength] of strengths.entries()) {
    const factor = index + 1;
    const harmonic = tone({
      ...options,
      fromHz: options.fromHz * factor,
      toHz: (options.toHz ?? options.fromHz) * factor,
    });
    for (const [at, value] of harmonic.entries()) sum[at] = (sum[at] ?? 0) + strength * value;
  }
  return sum;
}

/** White noise between -1 and 1. */
export function noise(samples: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: samples }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

export function scaled(samples: Float32Array, factor: number): Float32Array {
  return samples.map((value) => value * factor);
}
