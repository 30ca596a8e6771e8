/** Turns a WAV file's samples into what Transcribe takes: unchanged where it can, otherwise as 32-bit floats. */
import { AudioEncoding } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { WavFormat } from "./read-wav-header.ts";

export interface StreamAudio {
  readonly encoding: AudioEncoding;
  readonly channelCount: number;
  /** Whole samples in, whole samples out. */
  readonly convert: (piece: Buffer) => Uint8Array;
}

const unchanged: Partial<Record<WavFormat["sampleFormat"], AudioEncoding>> = {
  int16: AudioEncoding.LINEAR16,
  float32: AudioEncoding.FLOAT32,
  mulaw: AudioEncoding.MULAW,
};

/** Several channels are mixed into one, unless each is a speaker of its own. */
export function toStreamAudio(
  format: WavFormat,
  options: { readonly separateChannels: boolean },
): StreamAudio {
  const { sampleFormat, channelCount } = format;
  const encoding = unchanged[sampleFormat];
  if (encoding !== undefined && (channelCount === 1 || options.separateChannels)) {
    return { encoding, channelCount, convert: (piece) => piece };
  }
  const outputChannels = options.separateChannels ? channelCount : 1;
  const mixed = channelCount / outputChannels;
  const { bytes, read } = readers[sampleFormat];
  return {
    encoding: AudioEncoding.FLOAT32,
    channelCount: outputChannels,
    convert(piece) {
      const output = Buffer.allocUnsafe((piece.length / bytes / mixed) * 4);
      for (let index = 0; index * 4 < output.length; index++) {
        let sum = 0;
        for (let channel = 0; channel < mixed; channel++)
          sum += read(piece, (index * mixed + channel) * bytes);
        output.writeFloatLE(sum / mixed, index * 4);
      }
      return output;
    },
  };
}

type Reader = { readonly bytes: number; readonly read: (piece: Buffer, at: number) => number };

const readers: Readonly<Record<WavFormat["sampleFormat"], Reader>> = {
  uint8: { bytes: 1, read: (piece, at) => (piece.readUInt8(at) - 128) / 128 },
  int16: { bytes: 2, read: (piece, at) => piece.readInt16LE(at) / 2 ** 15 },
  int24: { bytes: 3, read: (piece, at) => piece.readIntLE(at, 3) / 2 ** 23 },
  int32: { bytes: 4, read: (piece, at) => piece.readInt32LE(at) / 2 ** 31 },
  float32: { bytes: 4, read: (piece, at) => piece.readFloatLE(at) },
  mulaw: { bytes: 1, read: (piece, at) => expandMulaw(piece.readUInt8(at)) },
};

/** ITU-T G.711. */
function expandMulaw(code: number): number {
  const inverted = ~code & 0xff;
  const magnitude = ((((inverted & 0x0f) << 3) + 0x84) << ((inverted >> 4) & 0x07)) - 0x84;
  return (inverted & 0x80 ? -magnitude : magnitude) / 2 ** 15;
}
