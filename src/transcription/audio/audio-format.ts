/** How a client's audio is encoded, and what a whole sample is. Knows nothing of streams. */

export type AudioEncoding = "linear16" | "mulaw" | "float32";

export interface AudioFormat {
  readonly encoding: AudioEncoding;
  /** Samples a second in each channel. */
  readonly sampleRateHz: number;
  readonly channelCount: number;
}

const bytesPerSampleOf: Record<AudioEncoding, number> = { linear16: 2, mulaw: 1, float32: 4 };

/** Bytes that one sample of every channel takes. */
export function bytesPerFrame(format: AudioFormat): number {
  return bytesPerSampleOf[format.encoding] * format.channelCount;
}
