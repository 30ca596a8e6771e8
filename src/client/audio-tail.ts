/**
 * The audio that the server has not acknowledged, in order, by its place on the session clock. Keeps a bounded length,
 * the newest; never knows what was sent.
 */

export interface AudioTailOptions {
  readonly bytesPerFrame: number;
  /** Frames of a block; what is read at once never crosses one. */
  readonly framesPerBlock: number;
  readonly maxFrames: number;
  /** Place of the first frame. */
  readonly firstFrame: number;
}

export interface AudioPiece {
  readonly firstFrame: number;
  readonly frames: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

export class AudioTail {
  readonly #bytesPerFrame: number;
  readonly #framesPerBlock: number;
  readonly #maxFrames: number;
  /** All full but the last. Bytes before `#end` never change. */
  #blocks: Uint8Array<ArrayBuffer>[] = [];
  #firstBlockAt: number;
  #start: number;
  #end: number;

  constructor({ bytesPerFrame, framesPerBlock, maxFrames, firstFrame }: AudioTailOptions) {
    this.#bytesPerFrame = bytesPerFrame;
    this.#framesPerBlock = framesPerBlock;
    this.#maxFrames = maxFrames;
    this.#firstBlockAt = this.#start = this.#end = firstFrame;
  }

  /** The oldest frame that is kept. */
  get start(): number {
    return this.#start;
  }

  /** After the newest. */
  get end(): number {
    return this.#end;
  }

  /** Copies whole frames. What is over the maximum is dropped from the start. */
  append(data: Uint8Array): void {
    const blockBytes = this.#framesPerBlock * this.#bytesPerFrame;
    let taken = 0;
    while (taken < data.length) {
      const used = (this.#end - this.#firstBlockAt) * this.#bytesPerFrame;
      const index = Math.floor(used / blockBytes);
      const block = (this.#blocks[index] ??= new Uint8Array(blockBytes));
      const at = used - index * blockBytes;
      const piece = data.subarray(taken, taken + blockBytes - at);
      block.set(piece, at);
      taken += piece.length;
      this.#end += piece.length / this.#bytesPerFrame;
    }
    if (this.#end - this.#start > this.#maxFrames) this.dropBefore(this.#end - this.#maxFrames);
  }

  /** Forgets what comes before; nothing happens when that is forgotten already. */
  dropBefore(frame: number): void {
    this.#start = Math.min(Math.max(this.#start, frame), this.#end);
    const count = Math.floor((this.#start - this.#firstBlockAt) / this.#framesPerBlock);
    this.#blocks.splice(0, count);
    this.#firstBlockAt += count * this.#framesPerBlock;
  }

  /** Frames from there on, up to the next block or `before`; undefined when there are none. */
  read(from: number, before: number): AudioPiece | undefined {
    if (from < this.#start) throw new RangeError(`frame ${from} is not kept any more`);
    const index = Math.floor((from - this.#firstBlockAt) / this.#framesPerBlock);
    const blockAt = this.#firstBlockAt + index * this.#framesPerBlock;
    const to = Math.min(blockAt + this.#framesPerBlock, this.#end, before);
    const block = this.#blocks[index];
    if (to <= from || !block) return undefined;
    const data = block.subarray((from - blockAt) * this.#bytesPerFrame, (to - blockAt) * this.#bytesPerFrame);
    return { firstFrame: from, frames: to - from, data };
  }

  /** Moves everything later on the session clock, so that it starts there; for audio that nobody was told the place of. */
  moveTo(start: number): void {
    const later = start - this.#start;
    this.#firstBlockAt += later;
    this.#start += later;
    this.#end += later;
  }
}
