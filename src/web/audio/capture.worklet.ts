/**
 * Runs on the audio thread: takes the microphone at the context's rate and posts it as 16-bit mono at 16 kHz, 50 ms at a
 * time. "stop" makes it post what it still holds, then null, and end.
 */
import { Resampler } from "./resampler.ts";
import { sampleRateHz, samplesPerMs } from "./sample-rate.ts";
import { toLinear16 } from "./to-linear16.ts";

/** The scope of a worklet, which TypeScript's DOM library leaves out. */
declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

const pieceSamples = 50 * samplesPerMs;

class Capture extends AudioWorkletProcessor {
  readonly #resampler = new Resampler(sampleRate, sampleRateHz);
  readonly #piece = new Float32Array(pieceSamples);
  #filled = 0;
  #isStopped = false;

  constructor() {
    super();
    this.port.onmessage = () => this.#stop();
  }

  process([channels = []]: Float32Array[][]): boolean {
    const mono = channels[0];
    // Without a channel the source is muted; its time passes all the same, but no samples say how long.
    if (!this.#isStopped && mono) this.#take(this.#resampler.process(mono));
    return !this.#isStopped;
  }

  #take(samples: Float32Array): void {
    for (let taken = 0; taken < samples.length;) {
      const part = samples.subarray(taken, taken + pieceSamples - this.#filled);
      this.#piece.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === pieceSamples) this.#post();
    }
  }

  #stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#take(this.#resampler.flush());
    this.#post();
    this.port.postMessage(null);
  }

  #post(): void {
    if (this.#filled === 0) return;
    const samples = toLinear16(this.#piece.subarray(0, this.#filled));
    this.#filled = 0;
    this.port.postMessage(samples, [samples.buffer]);
  }
}

registerProcessor("parley-capture", Capture);
