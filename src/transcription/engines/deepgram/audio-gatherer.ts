/** Floating-point samples to pieces of 16-bit ones that are worth a message, neither tiny nor huge. Keeps no copy. */

/** 20 ms: a client that sends sample by sample does not cost a message each. */
const leastSamples = 320;
/** 250 ms, the most that Deepgram recommends. */
const mostSamples = 4_000;

export class AudioGatherer {
  readonly #send: (samples: Int16Array) => void;
  #piece = new Int16Array(mostSamples);
  #length = 0;

  /** `send` owns what it is given. */
  constructor(send: (samples: Int16Array) => void) {
    this.#send = send;
  }

  add(samples: Float32Array): void {
    for (const sample of samples) {
      this.#piece[this.#length++] = Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768)));
      if (this.#length === mostSamples) this.flush();
    }
    if (this.#length >= leastSamples) this.flush();
  }

  /** Sends the rest, if there is one. */
  flush(): void {
    if (this.#length === 0) return;
    const piece = this.#piece.slice(0, this.#length);
    this.#length = 0;
    this.#send(piece);
  }
}
