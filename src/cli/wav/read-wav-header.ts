/** Finds out what a WAV file holds and where. Reads chunk headers only, never the audio. */
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
  /** The header does not say how long the audio is, as when it was written to a pipe. */
  readonly isOpenEnded: boolean;
}

const openEndedSizes = [0, 0xffff_ffff, 0x7fff_ffff];

/** Rejects with a CliError of exit code 2. */
export async function readWavHeader(file: FileHandle, size: number, path: string): Promise<WavHeader> {
  const head = await readAt(file, 0, 12);
  const kind = head.toString("latin1", 0, 4);
  if (head.length < 12 || !["RIFF", "RF64"].includes(kind) || head.toString("latin1", 8, 12) !== "WAVE") {
    throw new CliError(`${path} is not a WAV file`, 2);
  }
  let format: WavFormat | undefined;
  let longDataBytes: number | undefined;
  for (let at = 12; at + 8 <= size;) {
    const chunk = await readAt(file, at, 8);
    const id = chunk.toString("latin1", 0, 4);
    const length = chunk.readUInt32LE(4);
    if (id === "data") {
      if (!format) throw new CliError(`${path} does not say what audio it holds`, 2);
      const isOpenEnded = longDataBytes === undefined && openEndedSizes.includes(length);
      const dataBytes = isOpenEnded ? size - at - 8 : (longDataBytes ?? length);
      return { format, dataOffset: at + 8, dataBytes, isOpenEnded };
    }
    const body =
      id === "fmt " || id === "ds64" ? await readAt(file, at + 8, Math.min(length, 40)) : undefined;
    if (id === "fmt " && body) format = readFormat(body, path);
    if (id === "ds64" && body && body.length >= 16) longDataBytes = Number(body.readBigUInt64LE(8));
    at += 8 + length + (length % 2);
  }
  throw new CliError(`${path} is cut short: it holds no audio`, 2);
}

function readFormat(body: Buffer, path: string): WavFormat {
  if (body.length < 16) throw new CliError(`${path} does not say what audio it holds`, 2);
  const isExtensible = body.readUInt16LE(0) === 0xfffe && body.length >= 26;
  const code = body.readUInt16LE(isExtensible ? 24 : 0);
  const channelCount = body.readUInt16LE(2);
  const sampleRateHz = body.readUInt32LE(4);
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
  return { sampleFormat, sampleRateHz, channelCount, bytesPerFrame: (channelCount * bits) / 8 };
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
