/**
 * Turns a client's bytes into samples in [-1, 1], one array a channel. Pure; never resamples.
 * Sources: LINEAR16 is two's complement, little-endian; MULAW is ITU-T G.711; FLOAT32 is IEEE 754, little-endian.
 */
import { bytesPerFrame } from "./audio-format.ts";
import type { AudioFormat } from "./audio-format.ts";

/** `data` holds whole frames; the caller has checked that. */
export function decodeAudio(data: Uint8Array, format: AudioFormat): Float32Array[] {
  const frames = data.byteLength / bytesPerFrame(format);
  const channels = Array.from({ length: format.channelCount }, () => new Float32Array(frames));
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const read = readers[format.encoding];
  channels.forEach((samples, channel) => {
    for (let frame = 0; frame < frames; frame++) {
      samples[frame] = read(view, frame * format.channelCount + channel);
    }
  });
  return channels;
}

const readers = {
  linear16: (view: DataView, index: number) => view.getInt16(index * 2, true) / 32_768,
  mulaw: (view: DataView, index: number) => mulawTable[view.getUint8(index)] ?? 0,
  float32: (view: DataView, index: number) => clip(view.getFloat32(index * 4, true)),
};

/** NaN becomes silence: one bad sample must not poison an engine's state. */
function clip(value: number): number {
  return value > 1 ? 1 : value < -1 ? -1 : value >= -1 ? value : 0;
}

const mulawTable = Float32Array.from({ length: 256 }, (_, code) => {
  const inverted = ~code & 0xff;
  const magnitude = ((((inverted & 0x0f) << 3) + 0x84) << ((inverted >> 4) & 0x07)) - 0x84;
  return (inverted & 0x80 ? -magnitude : magnitude) / 32_768;
});
