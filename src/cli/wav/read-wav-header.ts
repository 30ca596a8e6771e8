/**
 * Finds out what a WAV file holds and where. Reads chunk headers only, never the audio. Trusts no size that it can check
 * against the file.
 */
import type { FileHandle } from "node:fs/promises";
import { CliError } from "../cli-error.ts";

export interface WavFormat {
  readonly sampleFormat: "uint8" | "int16" | "int24" | "int32" | "float32" | "mulaw";
  readonly sampleRateHz: number;
  readonly channelCount: number;
  readonly bytesPerFrame: number;
}

export interface WavHeader {
  readonly format: WavFormat;
  /** Where the audio begins in the file. */
  readonly dataOffset: number;
  /** How long it is, as the header says; to the end of the file when it does not. */
  readonly dataBytes: number;
}

/** RF64 and BW64 are RIFF with 64-bit sizes in a `ds64` chunk. */
const riffKinds = ["RIFF", "RF64", "BW64"];

/** Real files have a handful; a file of nothing but empty chunks would otherwise be read for hours. */
const maxChunks = 1000;

/** Rejects with a CliError of exit code 2. */
export async function readWavHeader(file: FileHandle, size: number, path: string): Promise<WavHeader> {
  const head = await readAt(file, 0, 12);
  if (
    head.length < 12 ||
    !riffKinds.includes(head.toString("latin1", 0, 4)) ||
    head.toString("latin1", 8, 12) !== "WAVE"
  ) {
    throw new CliError(`${path} is not a WAV file`, 2);
  }
  let format: WavFormat | undefined;
  let longDataBytes: number | undefined;
  let at = 12;
  for (let chunks = 0; chunks < maxChunks && at + 8 <= size; chunks++) {
    const chunk = await readAt(file, at, 8);
    const id = chunk.toString("latin1", 0, 4);
    const length = chunk.readUInt32LE(4);
    if (id === "data") {
      if (!format) throw new CliError(`${path} does not say what audio it holds`, 2);
      const dataOffset = at + 8;
      const stated = length === 0xffff_ffff ? (longDataBytes ?? length) : length;
      const isFinished = head.readUInt32LE(4) === size - 8;
      const dataBytes = isOpenEnded(stated, size - dataOffset, isFinished) ? size - dataOffset : stated;
      return { format, dataOffset, dataBytes };
    }
    if (id === "fmt ") format = readFormat(await readAt(file, at + 8, Math.min(length, 40)), path);
    if (id === "ds64") longDataBytes = readDataSize64(await readAt(file, at + 8, Math.min(length, 16)));
    at += 8 + length + (length % 2);
  }
  throw new CliError(`${path} is cut short: it holds no audio`, 2);
}

/**
 * Writers to a pipe cannot come back to fill in the length. They leave 0 (then the file's own size is wrong too) or
 * something near 2 or 4 GiB: 0xFFFFFFFF (ffmpeg), 0x7FFFF000 (SoX), 0x80000000 (arecord).
 */
function isOpenEnded(statedBytes: number, presentBytes: number, isFinished: boolean): boolean {
  if (statedBytes === 0) return !isFinished;
  return statedBytes > presentBytes && statedBytes >= 0x7fff_f000 && statedBytes <= 0xffff_ffff;
}

/** EBU Tech 3306: the size of the file, then of the audio. */
function readDataSize64(body: Buffer): number | undefined {
  return body.length < 16 ? undefined : Number(body.readBigUInt64LE(8));
}

function readFormat(body: Buffer, path: string): WavFormat {
  if (body.length < 16) throw new CliError(`${path} does not say what audio it holds`, 2);
  const isExtensible = body.readUInt16LE(0) === 0xfffe && body.length >= 26;
  const code = body.readUInt16LE(isExtensible ? 24 : 0);
  const channelCount = body.readUInt16LE(2);
  const sampleRateHz = body.readUInt32LE(4);
  const bytesPerFrame = body.readUInt16LE(12);
  const bits = body.readUInt16LE(14);
  const sampleFormat = sampleFormats[`${code}/${bits}`];
  if (sampleFormat === undefined) {
    throw new CliError(
      `${path} is encoded in a way that is not read here (format ${code}, ${bits} bits); convert it to 16-bit PCM`,
      2,
    );
  }
  if (sampleRateHz < 8_000 || sampleRateHz > 48_000) {
    throw new CliError(`${path} has ${sampleRateHz} samples a second; 8000 to 48000 are taken`, 2);
  }
  if (channelCount < 1 || channelCount > 8) {
    throw new CliError(`${path} has ${channelCount} channels; 1 to 8 are taken`, 2);
  }
  if (bytesPerFrame !== (channelCount * bits) / 8) {
    throw new CliError(
      `${path} contradicts itself: ${channelCount} channel(s) of ${bits} bits in ${bytesPerFrame} bytes`,
      2,
    );
  }
  return { sampleFormat, sampleRateHz, channelCount, bytesPerFrame };
}

/** By format code (1 PCM, 3 IEEE float, 7 µ-law) and bits a sample. */
const sampleFormats: Partial<Record<string, WavFormat["sampleFormat"]>> = {
  "1/8": "uint8",
  "1/16": "int16",
  "1/24": "int24",
  "1/32": "int32",
  "3/32": "float32",
  "7/8": "mulaw",
};

/** Fewer bytes at the end of the file. */
async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
