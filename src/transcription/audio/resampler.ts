/**
 * One channel from the client's rate to the engine's, band-limited (libsamplerate's sinc converter, compiled to
 * WebAssembly). The output starts where the input starts: sample n of the output is at time n / outputRateHz.
 */
import libsamplerate from "@alexanderolsen/libsamplerate-js";

export interface Resampler {
  /** The samples that are ready; the last few milliseconds are held back until more comes. */
  process(samples: Float32Array): Float32Array;
  /** What was held back. Nothing may follow. */
  flush(): Float32Array;
  release(): void;
}

/** Longer than what the converter holds back at any rate from 8 to 48 kHz. */
const flushSilenceMs = 50;

export async function createResampler(inputRateHz: number, outputRateHz: number): Promise<Resampler> {
  if (inputRateHz === outputRateHz) return passThrough;
  const converter = await libsamplerate.create(1, inputRateHz, outputRateHz, {
    converterType: libsamplerate.ConverterType.SRC_SINC_FASTEST,
  });
  let received = 0;
  let produced = 0;
  const process = (samples: Float32Array): Float32Array => {
    const output = converter.full(samples).slice();
    produced += output.length;
    return output;
  };
  return {
    process(samples) {
      received += samples.length;
      return process(samples);
    },
    flush() {
      const missing = Math.floor((received * outputRateHz) / inputRateHz) - produced;
      if (missing <= 0) return new Float32Array(0);
      return process(new Float32Array(Math.ceil((inputRateHz * flushSilenceMs) / 1000))).slice(0, missing);
    },
    release: () => converter.destroy(),
  };
}

const passThrough: Resampler = {
  process: (samples) => samples,
  flush: () => new Float32Array(0),
  release: () => undefined,
};
