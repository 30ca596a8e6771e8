/** Writes WAV files for tests: right ones, and ones that are wrong in a chosen way. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder } from "./scratch-folder.ts";

const folder = scratchFolder();
let count = 0;

/** Writes a file into a folder of this run, and returns its path. */
export function fileOf(content: Uint8Array | string, name = `${String((count += 1))}.wav`): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

export interface WavParts {
  /** 1 PCM, 3 IEEE float, 7 µ-law. Default 1. */
  readonly code?: number;
  /** Default 16. */
  readonly bits?: number;
  /** Default 1. */
  readonly channelCount?: number;
  /** Default 16000. */
  readonly sampleRateHz?: number;
  /** Default: as the other fields say. */
  readonly bytesPerFrame?: number;
  readonly data: Uint8Array;
  /** What the data chunk says of its length. Default: the truth. */
  readonly statedBytes?: number;
  /** What the RIFF header says of the file's length. Default: the truth. */
  readonly riffBytes?: number;
  readonly kind?: "RIFF" | "RF64" | "BW64";
  /** Chunks before `fmt `, and between it and `data`. */
  readonly first?: readonly Uint8Array[];
  readonly between?: readonly Uint8Array[];
  readonly after?: readonly Uint8Array[];
  readonly format?: Uint8Array;
}

export function wav(parts: WavParts): Buffer {
  const { data, kind = "RIFF", first = [], between = [], after = [] } = parts;
  const body = Buffer.concat([
    Buffer.from("WAVE"),
    ...first,
    parts.format ?? formatChunk(parts),
    ...between,
    chunkOf("data", data, parts.statedBytes),
    ...after,
  ]);
  const head = Buffer.alloc(8);
  head.write(kind, 0, "latin1");
  head.writeUInt32LE(parts.riffBytes ?? body.length, 4);
  return Buffer.concat([head, body]);
}

/** With the byte that pads it to an even length. */
export function chunkOf(id: string, body: Uint8Array, statedBytes = body.length): Buffer {
  const head = Buffer.alloc(8);
  head.write(id, 0, "latin1");
  head.writeUInt32LE(statedBytes, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
}

export function formatChunk(parts: Omit<WavParts, "data">, subformat?: number): Buffer {
  const { code = 1, bits = 16, channelCount = 1, sampleRateHz = 16_000 } = parts;
  const bytesPerFrame = parts.bytesPerFrame ?? (channelCount * bits) / 8;
  const body = Buffer.alloc(subformat === undefined ? 16 : 40);
  body.writeUInt16LE(code, 0);
  body.writeUInt16LE(channelCount, 2);
  body.writeUInt32LE(sampleRateHz, 4);
  body.writeUInt32LE(sampleRateHz * bytesPerFrame, 8);
  body.writeUInt16LE(bytesPerFrame, 12);
  body.writeUInt16LE(bits, 14);
  if (subformat !== undefined) {
    body.writeUInt16LE(22, 16);
    body.writeUInt16LE(bits, 18);
    body.writeUInt16LE(subformat, 24);
  }
  return chunkOf("fmt ", body);
}

/** RF64's 64-bit sizes. */
export function longSizes(dataBytes: bigint): Buffer {
  const body = Buffer.alloc(28);
  body.writeBigUInt64LE(dataBytes, 8);
  return chunkOf("ds64", body);
}
