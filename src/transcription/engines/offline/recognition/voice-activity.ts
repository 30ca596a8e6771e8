/**
 * Silero voice activity detection: one session for all streams, one small recurrent state for each. Takes frames of
 * exactly 512 samples at 16 kHz and gives the probability that each holds speech.
 */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { sessionOptions } from "./session-options.ts";

export const vadFrameSamples = 512;
/** The model looks at the end of the frame before, too. */
const contextSamples = 64;
const stateShape = [2, 1, 128];

export class VoiceActivityModel {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async load(path: string): Promise<VoiceActivityModel> {
    return new VoiceActivityModel(await InferenceSession.create(path, sessionOptions));
  }

  newStream(): VoiceActivityStream {
    return new VoiceActivityStream(this.#session);
  }
}

export class VoiceActivityStream {
  readonly #session: InferenceSession;
  readonly #input = new Float32Array(contextSamples + vadFrameSamples);
  #state: Tensor = new Tensor("float32", new Float32Array(2 * 128), stateShape);

  constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** 0 to 1. Not to be called again before it has settled. */
  async probability(frame: Float32Array): Promise<number> {
    this.#input.copyWithin(0, vadFrameSamples);
    this.#input.set(frame, contextSamples);
    const output = await this.#session.run({
      input: new Tensor("float32", this.#input, [1, this.#input.length]),
      state: this.#state,
      sr: rate,
    });
    const { output: probability, stateN } = output;
    if (!(stateN instanceof Tensor) || !(probability instanceof Tensor))
      throw new Error("the detector gave no state");
    this.#state = stateN;
    return Number(probability.data[0]);
  }
}

const rate = new Tensor("int64", BigInt64Array.of(16000n), []);
