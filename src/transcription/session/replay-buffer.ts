/**
 * The audio that may have to be sent to an engine again: everything after the last boundary. Positions are absolute. Small
 * pieces are gathered into blocks, so that a client that sends sample by sample costs no more than another.
 */

/** Half a second at 16 kHz. */
const blockSamples = 8_192;

export class ReplayBuffer {
  /** Views of what was written; the last one may grow, within `#block`. */
  #chunks: Float32Array[] = [];
  /** Where small pieces are gathered. Filled once from front to back, so that views handed out never change. */
  #block = new Float32Array(0);
  #blockUsed = 0;
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
    this.#end += samples.length;
    if (samples.length >= blockSamples / 2) {
      this.#chunks.push(samples);
      this.#block = new Float32Array(0);
      this.#blockUsed = 0;
      return;
    }
    if (this.#blockUsed + samples.length > this.#block.length) {
      this.#block = new Float32Array(blockSamples);
      this.#blockUsed = 0;
    }
    const start = this.#growingFrom();
    this.#block.set(samples, this.#blockUsed);
    this.#blockUsed += samples.length;
    this.#chunks.push(this.#block.subarray(start, this.#blockUsed));
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

  /** Takes the last chunk back if it is the block's; returns where in the block the chunk to come begins. */
  #growingFrom(): number {
    const last = this.#chunks.at(-1);
    if (last?.buffer !== this.#block.buffer) return this.#blockUsed;
    this.#chunks.pop();
    return last.byteOffset / Float32Array.BYTES_PER_ELEMENT;
  }
}
