/** Writes a WAV file into a transcription, as fast as the server takes it or as fast as it was spoken, and ends it. */
import { setTimeout as wait } from "node:timers/promises";
import type { Transcription } from "../client/index.ts";
import type { WavFile } from "./wav/open-wav.ts";
import type { StreamAudio } from "./wav/to-stream-audio.ts";

export interface StreamFileOptions {
  readonly audio: StreamAudio;
  /** Sends no faster than it was spoken. */
  readonly realtime: boolean;
  readonly signal: AbortSignal;
}

const pieceMs = 100;

/** Resolves early when the transcription is over; cancels it when the file cannot be read on. */
export async function streamFile(
  wav: WavFile,
  transcription: Transcription,
  { audio, realtime, signal }: StreamFileOptions,
): Promise<void> {
  const { sampleRateHz, bytesPerFrame } = wav.format;
  const framesPerPiece = Math.round((sampleRateHz * pieceMs) / 1000);
  const startedAt = performance.now();
  let frame = 0;
  try {
    for await (const piece of wav.read(framesPerPiece)) {
      if (realtime) {
        // A microphone hands over a piece when its last sample has been spoken.
        const dueMs = ((frame + framesPerPiece) * 1000) / sampleRateHz - (performance.now() - startedAt);
        if (dueMs > 0) await wait(dueMs, undefined, { signal });
      }
      if (transcription.state === "failed" || transcription.state === "ended") return;
      const written = transcription.write(audio.convert(piece));
      if (!realtime) await written;
      frame += piece.length / bytesPerFrame;
    }
    transcription.end();
  } catch (error) {
    transcription.cancel();
    throw error;
  }
}
