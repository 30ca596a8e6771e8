/**
 * Reads WAV files piece by piece, however long they are. Format: RIFF/WAVE as in "Multimedia Programming Interface and Data
 * Specifications 1.0" (IBM and Microsoft, 1991), WAVE_FORMAT_EXTENSIBLE, and RF64 (EBU Tech 3306) for long files.
 */
import { open, stat } from "node:fs/promises";
import { CliError } from "../cli-error.ts";
import { readWavHeader } from "./read-wav-header.ts";
import type { WavFormat } from "./read-wav-header.ts";

export interface WavFile {
  readonly format: WavFormat;
  /** Samples of each channel that are really there. */
  readonly frameCount: number;
  readonly durationMs: number;
  /** Samples of each channel that the header promises and the file does not have. */
  readonly missingFrames: number;
  /** Pieces of so many samples of each channel, as they stand in the file; the last may be shorter. */
  read(framesPerPiece: number): AsyncGenerator<Buffer>;
}

/**
 * Rejects with a CliError of exit code 2 for a file that is not there, empty, or not audio that can be read. Holds the
 * file open only while it reads.
 */
export async function openWav(path: string): Promise<WavFile> {
  const { size, header } = await readHead(path);
  const { format, dataOffset, dataBytes } = header;
  const present = Math.max(0, Math.min(dataBytes, size - dataOffset));
  const frameCount = Math.floor(present / format.bytesPerFrame);
  if (frameCount === 0) throw new CliError(`${path} holds no audio`, 2);
  return {
    format,
    frameCount,
    durationMs: Math.round((frameCount * 1000) / format.sampleRateHz),
    missingFrames: Math.ceil((dataBytes - present) / format.bytesPerFrame),
    read: (framesPerPiece) =>
      readPieces(path, {
        offset: dataOffset,
        length: frameCount * format.bytesPerFrame,
        pieceBytes: framesPerPiece * format.bytesPerFrame,
      }),
  };
}

async function readHead(path: string) {
  try {
    const entry = await stat(path); // before opening: a named pipe without a writer would never open
    if (!entry.isFile()) throw new CliError(`${path} is not a file`, 2);
    if (entry.size === 0) throw new CliError(`${path} is empty`, 2);
    await using file = await open(path);
    return { size: entry.size, header: await readWavHeader(file, entry.size, path) };
  } catch (error) {
    if (error instanceof CliError) throw error;
    const reason =
      (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : "it cannot be read";
    throw new CliError(`${path}: ${reason}`, 2, error);
  }
}

interface ByteRange {
  readonly offset: number;
  readonly length: number;
  readonly pieceBytes: number;
}

async function* readPieces(path: string, { offset, length, pieceBytes }: ByteRange): AsyncGenerator<Buffer> {
  await using file = await open(path);
  for (let at = 0; at < length; at += pieceBytes) {
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, length - at));
    const { bytesRead } = await file.read(piece, 0, piece.length, offset + at);
    if (bytesRead < piece.length) throw new CliError(`${path} became shorter while it was read`);
    yield piece;
  }
}
