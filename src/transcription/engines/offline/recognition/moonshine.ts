/**
 * Moonshine tiny as three ONNX sessions, created once. Stateless: what one segment needs from step to step is handed
 * out and handed back in. Input is mono at 16 kHz in [-1, 1]; tokens are Llama's.
 */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { attentionLayers } from "../model/derive-decoder.ts";
import type { ModelPaths } from "../protocol.ts";
import { sessionOptions } from "./session-options.ts";

export const vocabularySize = 32768;
export const startToken = 1;
export const endToken = 2;
/** Samples between two encoder frames: the strides of its three convolutions, 64 * 3 * 2. */
export const frameSamples = 384;
/** Decoder heads of a layer. */
export const headCount = 8;

const layers = 6;
const headSize = 36;
const roles = ["key", "value"] as const;

type Tensors = Readonly<Record<string, Tensor>>;

/** A segment after the encoder: what every decoder step attends to. */
export interface EncodedSpeech {
  readonly frames: number;
  readonly keys: Tensors;
}

/** What the decoder remembers of the tokens fed so far. */
export interface DecoderMemory {
  readonly length: number;
  readonly tensors: Tensors;
}

export interface DecoderStep {
  /** One row of `vocabularySize` for each token fed: what follows it. */
  readonly logits: Float32Array;
  /** By layer, as in `attentionLayers`: [head, token, frame], each token's row summing to 1. */
  readonly attention: readonly Float32Array[];
  readonly memory: DecoderMemory;
}

export class Moonshine {
  readonly #encoder: InferenceSession;
  readonly #keys: InferenceSession;
  readonly #decoder: InferenceSession;

  private constructor(encoder: InferenceSession, keys: InferenceSession, decoder: InferenceSession) {
    this.#encoder = encoder;
    this.#keys = keys;
    this.#decoder = decoder;
  }

  static async load(
    paths: Pick<ModelPaths, "encoder" | "crossAttentionKeys" | "decoder">,
  ): Promise<Moonshine> {
    return new Moonshine(
      await InferenceSession.create(paths.encoder, sessionOptions),
      await InferenceSession.create(paths.crossAttentionKeys, sessionOptions),
      await InferenceSession.create(paths.decoder, sessionOptions),
    );
  }

  /** At least 0.1 s of audio; a cost of about 5 ms of processor time per second. */
  async encode(samples: Float32Array): Promise<EncodedSpeech> {
    const input = new Tensor("float32", samples, [1, samples.length]);
    const states = required(await this.#encoder.run({ input_values: input }), "last_hidden_state");
    const present = await this.#keys.run({ encoder_hidden_states: states });
    const keys: Record<string, Tensor> = {};
    for (let layer = 0; layer < layers; layer++) {
      for (const role of roles) {
        keys[`past_key_values.${layer}.encoder.${role}`] = required(
          present,
          `present.${layer}.encoder.${role}`,
        );
      }
    }
    return { frames: states.dims[1] ?? 0, keys };
  }

  /** Feeds tokens after those in `memory`; without it the first must be the start token. */
  async step(speech: EncodedSpeech, tokens: readonly number[], memory?: DecoderMemory): Promise<DecoderStep> {
    const ids = new Tensor("int64", BigInt64Array.from(tokens, BigInt), [1, tokens.length]);
    const output = await this.#decoder.run({
      ...speech.keys,
      ...(memory?.tensors ?? emptyMemory),
      input_ids: ids,
    });
    const tensors: Record<string, Tensor> = {};
    for (let layer = 0; layer < layers; layer++) {
      for (const role of roles) {
        tensors[`past_key_values.${layer}.decoder.${role}`] = required(
          output,
          `present.${layer}.decoder.${role}`,
        );
      }
    }
    return {
      logits: floats(required(output, "logits")),
      attention: attentionLayers.map((layer) => floats(required(output, `cross_attention.${layer}`))),
      memory: { length: (memory?.length ?? 0) + tokens.length, tensors },
    };
  }
}

/** The memory of the first `length` tokens only. */
export function truncateMemory(memory: DecoderMemory, length: number): DecoderMemory {
  if (length === memory.length) return memory;
  const tensors: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(memory.tensors)) {
    const data = floats(tensor);
    const kept = new Float32Array(headCount * length * headSize);
    for (let head = 0; head < headCount; head++) {
      const from = head * memory.length * headSize;
      kept.set(data.subarray(from, from + length * headSize), head * length * headSize);
    }
    tensors[name] = new Tensor("float32", kept, [1, headCount, length, headSize]);
  }
  return { length, tensors };
}

const emptyMemory: Tensors = Object.fromEntries(
  Array.from({ length: layers }, (_, layer) => layer).flatMap((layer) =>
    roles.map((role) => [
      `past_key_values.${layer}.decoder.${role}`,
      new Tensor("float32", new Float32Array(0), [1, headCount, 0, headSize]),
    ]),
  ),
);

function required(output: InferenceSession.OnnxValueMapType, name: string): Tensor {
  const value = output[name];
  if (!(value instanceof Tensor)) throw new Error(`the model gave no ${name}`);
  return value;
}

function floats(tensor: Tensor): Float32Array {
  if (tensor.data instanceof Float32Array) return tensor.data;
  throw new Error("the model gave a tensor of another type");
}
