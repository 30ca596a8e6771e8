/** The audio that may have to be sent to an engine again: everything after the last boundary. Positions are absolute. */

export class ReplayBuffer {
  #chunks: Float32Array[] = [];
  #start = 0;
  #end = 0;

  /** First sample that is still held. */
  get start(): number {
    return this.#start;
  }

  /** Sample after the last one that was appended. */
  get end(): number {
    return this.#end;
  }

  append(samples: Float32Array): void {
    if (samples.length === 0) return;
    this.#chunks.push(samples);
    this.#end += samples.length;
  }

  /** Up to `maxSamples` from `position`, which must still be held. May return fewer; empty at the end. */
  read(position: number, maxSamples: number): Float32Array {
    let chunkStart = this.#start;
    for (const chunk of this.#chunks) {
      if (position < chunkStart + chunk.length) {
        const offset = position - chunkStart;
        return chunk.subarray(offset, Math.min(chunk.length, offset + maxSamples));
      }
      chunkStart += chunk.length;
    }
    return new Float32Array(0);
  }

  /** Lets go of what lies wholly before `position`. */
  release(position: number): void {
    let count = 0;
    for (const chunk of this.#chunks) {
      if (this.#start + chunk.length > position) break;
      this.#start += chunk.length;
      count += 1;
    }
    this.#chunks.splice(0, count);
    const first = this.#chunks[0];
    if (first !== undefined && position > this.#start) {
      this.#chunks[0] = first.subarray(position - this.#start);
      this.#start = position;
    }
  }
}
