/**
 * Reads WAV files piece by piece, however long they are. Format: RIFF/WAVE as in "Multimedia Programming Interface and Data
 * Specifications 1.0" (IBM and Microsoft, 1991), WAVE_FORMAT_EXTENSIBLE, and RF64 (EBU Tech 3306) for long files.
 */
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { CliError } from "../cli-error.ts";
import { readWavHeader } from "./read-wav-header.ts";
import type { WavFormat } from "./read-wav-header.ts";

export interface WavFile {
  readonly format: WavFormat;
  /** Samples of each channel that are really there. */
  readonly frameCount: number;
  readonly durationMs: number;
  /** Samples that the header promises and the file does not have. */
  readonly missingFrames: number;
  /** Pieces of so many samples of each channel, as they stand in the file; the last may be shorter. Closes the file. */
  read(framesPerPiece: number): AsyncGenerator<Buffer>;
}

/** Rejects with a CliError of exit code 2 for a file that is not there, empty, or not audio that can be read. */
export async function openWav(path: string): Promise<WavFile> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    if (size === 0) throw new CliError(`${path} is empty`, 2);
    const header = await readWavHeader(file, size, path);
    const { format } = header;
    const present = Math.max(0, Math.min(header.dataBytes, size - header.dataOffset));
    const frameCount = Math.floor(present / format.bytesPerFrame);
    if (frameCount === 0) throw new CliError(`${path} holds no audio`, 2);
    return {
      format,
      frameCount,
      durationMs: Math.round((frameCount * 1000) / format.sampleRateHz),
      missingFrames: header.isOpenEnded ? 0 : Math.ceil((header.dataBytes - present) / format.bytesPerFrame),
      read: (framesPerPiece) =>
        readPieces(
          file,
          header.dataOffset,
          frameCount * format.bytesPerFrame,
          framesPerPiece * format.bytesPerFrame,
        ),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    const file = await open(path);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw new CliError(`${path} is not a file`, 2);
  } catch (error) {
    if (error instanceof CliError) throw error;
    const reason =
      (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : "it cannot be read";
    throw new CliError(`${path}: ${reason}`, 2, error);
  }
}

async function* readPieces(
  file: FileHandle,
  offset: number,
  length: number,
  pieceBytes: number,
): AsyncGenerator<Buffer> {
  try {
    for (let at = 0; at < length; at += pieceBytes) {
      const piece = Buffer.allocUnsafe(Math.min(pieceBytes, length - at));
      const { bytesRead } = await file.read(piece, 0, piece.length, offset + at);
      if (bytesRead < piece.length) throw new CliError("the file became shorter while it was read");
      yield piece;
    }
  } finally {
    await file.close();
  }
}
