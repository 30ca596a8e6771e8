/** The part of a stream's audio that may still be needed, addressed by position in the stream. In memory only. */
export class SampleWindow {
  #buffer = new Float32Array(16_000);
  #start = 0;
  #length = 0;

  /** One past the last sample. */
  get end(): number {
    return this.#start + this.#length;
  }

  append(samples: Float32Array): void {
    if (this.#length + samples.length > this.#buffer.length) {
      const larger = new Float32Array(Math.max(this.#buffer.length * 2, this.#length + samples.length));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(samples, this.#length);
    this.#length += samples.length;
  }

  /** A copy; positions outside the window give what there is inside. */
  slice(startSample: number, endSample: number): Float32Array {
    const from = Math.max(0, startSample - this.#start);
    return this.#buffer.slice(from, Math.max(from, Math.min(this.#length, endSample - this.#start)));
  }

  /** Forgets what lies before the position. Moves memory only when at least a second goes. */
  dropBefore(sample: number): void {
    const count = Math.min(this.#length, sample - this.#start);
    if (count < 16_000) return;
    this.#buffer.copyWithin(0, count, this.#length);
    this.#start += count;
    this.#length -= count;
  }
}
