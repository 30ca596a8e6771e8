/** Whether a chunk of audio is whole, and follows on what came before. Both throw SessionError `invalid`. */
import { SessionError } from "../session-error.ts";
import { bytesPerFrame } from "./audio-format.ts";
import type { AudioFormat } from "./audio-format.ts";

/** Returns the samples that the chunk holds of each channel. */
export function countFrames(data: Uint8Array, format: AudioFormat): number {
  const frameBytes = bytesPerFrame(format);
  if (data.byteLength === 0 || data.byteLength % frameBytes !== 0) {
    const what = `${format.encoding.toUpperCase()} with ${format.channelCount} channel(s)`;
    throw new SessionError(
      "invalid",
      `audio.data holds ${data.byteLength} bytes; ${what} needs a multiple of ${frameBytes}`,
    );
  }
  return data.byteLength / frameBytes;
}

export function checkPlace(firstSample: number, expectedSample: number): void {
  if (firstSample === expectedSample) return;
  const difference = firstSample - expectedSample;
  const what =
    difference > 0 ? `leaves a gap of ${difference} samples` : `overlaps by ${-difference} samples`;
  throw new SessionError("invalid", `audio.first_sample ${firstSample} ${what}; expected ${expectedSample}`);
}
