/** Which files the offline engine runs on, where they come from, and what they must be, byte for byte. */

export interface ModelFile {
  /** Its name in the model folder. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface PublishedFile extends ModelFile {
  /** npm package and exact version, as `npm view` takes it. */
  readonly packageSpec: string;
  /** Path within the package. */
  readonly packagePath: string;
}

const moonshine = "@moonshine-ai/moonshine-js@0.1.29";
const silero = "@ricky0123/vad-web@0.0.31";

export const encoderFile: PublishedFile = {
  name: "encoder_model.onnx",
  bytes: 7_937_661,
  sha256: "c6fc4b7bc5af75c0591fd157a1f3829b533d18e9769a888fd95a62e470dd4f4a",
  packageSpec: moonshine,
  packagePath: "dist/model/tiny/quantized/encoder_model.onnx",
};

export const publishedDecoderFile: PublishedFile = {
  name: "decoder_model_merged.onnx",
  bytes: 20_243_286,
  sha256: "eed87831c3a6103534aae7d47a5d485025c659a1323901513961c39fe8a1a367",
  packageSpec: moonshine,
  packagePath: "dist/model/tiny/quantized/decoder_model_merged.onnx",
};

export const voiceActivityFile: PublishedFile = {
  name: "silero_vad_v6.onnx",
  bytes: 2_327_524,
  sha256: "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
  packageSpec: silero,
  packagePath: "dist/silero_vad_v6.onnx",
};

export const publishedFiles: readonly PublishedFile[] = [
  encoderFile,
  publishedDecoderFile,
  voiceActivityFile,
];

/** Made here from the published decoder; see derive-decoder.ts. */
export const crossAttentionKeysFile: ModelFile = {
  name: "derived_cross_attention_keys.onnx",
  bytes: 1_015_911,
  sha256: "f6ba987ff515e3619c8b5ca4753df5d2fc94af7ce3e75da1d97d04d60fde37c9",
};

export const decoderFile: ModelFile = {
  name: "derived_decoder.onnx",
  bytes: 28_182_646,
  sha256: "37bc41090147057b24389dec40706e1791babc9b3d26252c5cc1b52bc5cc9098",
};

export const derivedFiles: readonly ModelFile[] = [crossAttentionKeysFile, decoderFile];
