/**
 * One channel from one rate to another, band-limited, in pieces of any length. Runs in an AudioWorklet, so it knows
 * nothing but numbers. The output starts where the input starts: its sample n is at time n / outputRateHz.
 *
 * A polyphase filter: a sinc windowed with a Kaiser window, by J. F. Kaiser's design formulas (A. V. Oppenheim and
 * R. W. Schafer, Discrete-Time Signal Processing, 3rd edition, section 7.5.3).
 */

/** What is above the output's band comes through at no more than this. */
const stopbandDb = 72;
/** Kaiser's beta for that. */
const beta = 0.1102 * (stopbandDb - 8.7);
/** Part of the narrower band that is kept whole; the rest is where the filter falls. */
const keptBand = 0.875;

export class Resampler {
  /** Output sample n is at n * stepNumerator / stepDenominator input samples. */
  readonly #stepNumerator: number;
  readonly #stepDenominator: number;
  readonly #halfLength: number;
  readonly #cutoff: number;
  readonly #phases = new Map<number, Float32Array>();
  /** Input from `#keptFrom` on; before 0 there is silence. */
  #kept: Float32Array;
  #keptFrom: number;
  #received = 0;
  #produced = 0;

  /** Rates in whole Hz. */
  constructor(inputRateHz: number, outputRateHz: number) {
    const divisor = greatestCommonDivisor(inputRateHz, outputRateHz);
    this.#stepNumerator = inputRateHz / divisor;
    this.#stepDenominator = outputRateHz / divisor;
    const bandHz = Math.min(inputRateHz, outputRateHz) / 2;
    const transition = (bandHz * (1 - keptBand)) / inputRateHz;
    this.#cutoff = (bandHz * (1 + keptBand)) / 2 / inputRateHz;
    this.#halfLength = Math.ceil((stopbandDb - 8) / (2.285 * 2 * Math.PI * transition) / 2);
    this.#kept = new Float32Array(this.#halfLength);
    this.#keptFrom = -this.#halfLength;
  }

  /** The samples that are ready; a few milliseconds are held back until more comes. */
  process(input: Float32Array): Float32Array {
    if (this.#stepNumerator === this.#stepDenominator) return input.slice();
    const kept = new Float32Array(this.#kept.length + input.length);
    kept.set(this.#kept);
    kept.set(input, this.#kept.length);
    this.#received += input.length;
    const end = this.#outputsBefore(this.#received - this.#halfLength);
    const output = new Float32Array(Math.max(0, end - this.#produced));
    for (let index = 0; index < output.length; index += 1) {
      const place = (this.#produced + index) * this.#stepNumerator;
      const phase = place % this.#stepDenominator;
      const at = (place - phase) / this.#stepDenominator;
      output[index] = this.#filter(kept, at - this.#keptFrom, phase);
    }
    this.#produced += output.length;
    const nextAt = Math.floor((this.#produced * this.#stepNumerator) / this.#stepDenominator);
    const drop = Math.max(0, nextAt - this.#halfLength - this.#keptFrom);
    this.#kept = kept.slice(drop);
    this.#keptFrom += drop;
    return output;
  }

  /** What was held back. Nothing may follow. */
  flush(): Float32Array {
    const missing = this.#outputsBefore(this.#received) - this.#produced;
    if (missing <= 0) return new Float32Array(0);
    return this.process(new Float32Array(this.#halfLength + 1)).slice(0, missing);
  }

  /** How many output samples lie before that input sample. */
  #outputsBefore(inputSample: number): number {
    return Math.ceil((Math.max(0, inputSample) * this.#stepDenominator) / this.#stepNumerator);
  }

  #filter(samples: Float32Array, at: number, phase: number): number {
    const taps = this.#phase(phase);
    const from = at - this.#halfLength + 1;
    let sum = 0;
    for (let index = 0; index < taps.length; index += 1)
      sum += (taps[index] ?? 0) * (samples[from + index] ?? 0);
    return sum;
  }

  /** The filter for output samples that lie `phase` / stepDenominator after an input sample; made when first needed. */
  #phase(phase: number): Float32Array {
    let taps = this.#phases.get(phase);
    if (!taps) {
      const after = phase / this.#stepDenominator;
      taps = Float32Array.from({ length: 2 * this.#halfLength }, (_, index) =>
        this.#response(index - this.#halfLength + 1 - after),
      );
      this.#phases.set(phase, taps);
    }
    return taps;
  }

  /** The windowed sinc, at so many input samples from its middle. */
  #response(distance: number): number {
    const place = distance / this.#halfLength;
    if (Math.abs(place) >= 1) return 0;
    const angle = 2 * this.#cutoff * distance;
    const sinc = angle === 0 ? 1 : Math.sin(Math.PI * angle) / (Math.PI * angle);
    return (2 * this.#cutoff * sinc * besselI0(beta * Math.sqrt(1 - place * place))) / besselI0(beta);
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The modified Bessel function of the first kind of order 0, by its power series. */
function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
