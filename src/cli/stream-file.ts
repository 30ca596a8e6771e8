/** Sends a WAV file up a Transcribe stream, as fast as the server takes it or as fast as it was spoken. */
import { create } from "@bufbuild/protobuf";
import { setTimeout as wait } from "node:timers/promises";
import { TranscribeRequestSchema } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { TranscribeRequest } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { WavFile } from "./wav/open-wav.ts";
import { toStreamAudio } from "./wav/to-stream-audio.ts";

export interface StreamFileOptions {
  /** Sends no faster than it was spoken. */
  readonly realtime: boolean;
  readonly separateChannels: boolean;
  readonly analyzeOnEnd: boolean;
  readonly caseQuestion?: string;
  readonly signal: AbortSignal;
}

const pieceMs = 100;
/** A message holds 64 KiB at most; this leaves room for what is not audio. */
const maxPieceBytes = 60_000;

/** The requests of one whole session; ends with the file. */
export async function* streamFile(
  wav: WavFile,
  options: StreamFileOptions,
): AsyncGenerator<TranscribeRequest, void> {
  const { sampleRateHz } = wav.format;
  const { encoding, channelCount, bytesPerSample, convert } = toStreamAudio(wav.format, options);
  yield create(TranscribeRequestSchema, {
    message: {
      case: "config",
      value: {
        encoding,
        sampleRateHz,
        channelCount,
        analyzeOnEnd: options.analyzeOnEnd,
        ...(options.caseQuestion !== undefined && { caseQuestion: options.caseQuestion }),
      },
    },
  });
  const framesPerPiece = Math.min(
    Math.round((sampleRateHz * pieceMs) / 1000),
    Math.floor(maxPieceBytes / (channelCount * bytesPerSample)),
  );
  const startedAt = performance.now();
  let frame = 0;
  for await (const piece of wav.read(framesPerPiece)) {
    if (options.realtime) {
      // A microphone hands over a piece when its last sample has been spoken.
      const dueMs = ((frame + framesPerPiece) * 1000) / sampleRateHz - (performance.now() - startedAt);
      if (dueMs > 0) await wait(dueMs, undefined, { signal: options.signal });
    }
    yield create(TranscribeRequestSchema, {
      message: { case: "audio", value: { firstSample: BigInt(frame), data: convert(piece) } },
    });
    frame += piece.length / wav.format.bytesPerFrame;
  }
}
