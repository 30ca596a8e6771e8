/**
 * Says when finals are to be asked for, so that what is not yet final never grows beyond what a client has to keep: in a
 * pause of the voice if there is one, and at the latest at the limit. For engines that do not see to it themselves.
 */

/** From here on any pause is good enough, in milliseconds of audio without a final. */
const softLimitMs = 14_000;
/** Here the cut is made wherever it falls. */
const hardLimitMs = 19_000;
/** A cut that brought no final is not repeated before so much more audio. */
const againAfterMs = 4_000;
/** Sound this much below the loudest of late is a pause: 20 dB, as amplitude. */
const pauseRatio = 0.1;
const pauseMs = 160;
/** What a level is taken of. */
const frameMs = 20;
/** By how much the loudest is forgotten in a second: a loud laugh must not make all that follows it a pause. */
const decayPerSecond = 0.85;

export class ForcedCut {
  readonly #sampleRateHz: number;
  #loudest = 0;
  #quietSamples = 0;
  #notBefore = 0;
  #pendingSamples = 0;

  constructor(sampleRateHz: number) {
    this.#sampleRateHz = sampleRateHz;
  }

  /** Whether the place to cut is being looked for: then pieces should be small. */
  isNear(pendingSamples: number): boolean {
    return pendingSamples >= this.#samples(softLimitMs);
  }

  /** Audio that was sent; `pendingSamples` is all that was sent and is not final, this piece included. */
  take(piece: Float32Array, pendingSamples: number): boolean {
    if (pendingSamples < this.#pendingSamples + piece.length) this.#notBefore = 0; // there were finals
    this.#pendingSamples = pendingSamples;
    this.#listen(piece);
    const isPause = this.#quietSamples >= this.#samples(pauseMs);
    const limit = Math.max(this.#samples(isPause ? softLimitMs : hardLimitMs), this.#notBefore);
    if (pendingSamples < limit) return false;
    this.#notBefore = pendingSamples + this.#samples(againAfterMs);
    return true;
  }

  #listen(piece: Float32Array): void {
    const frameSamples = this.#samples(frameMs);
    for (let at = 0; at < piece.length; at += frameSamples)
      this.#listenTo(piece.subarray(at, at + frameSamples));
  }

  #listenTo(frame: Float32Array): void {
    let sum = 0;
    for (const sample of frame) sum += sample * sample;
    const level = Math.sqrt(sum / frame.length);
    this.#loudest = Math.max(level, this.#loudest * decayPerSecond ** (frame.length / this.#sampleRateHz));
    this.#quietSamples = level <= this.#loudest * pauseRatio ? this.#quietSamples + frame.length : 0;
  }

  #samples(ms: number): number {
    return (this.#sampleRateHz * ms) / 1000;
  }
}
