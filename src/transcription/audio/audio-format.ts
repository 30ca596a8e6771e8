/** How a client's audio is encoded, and what a whole sample is. Knows nothing of streams. */

export const audioEncodings = ["linear16", "mulaw", "float32"] as const;
export type AudioEncoding = (typeof audioEncodings)[number];

export interface AudioFormat {
  readonly encoding: AudioEncoding;
  /** Samples a second in each channel. */
  readonly sampleRateHz: number;
  readonly channelCount: number;
}

export const minSampleRateHz = 8_000;
export const maxSampleRateHz = 48_000;

const bytesPerSampleOf: Record<AudioEncoding, number> = { linear16: 2, mulaw: 1, float32: 4 };

/** Bytes that one sample of every channel takes. */
export function bytesPerFrame(format: AudioFormat): number {
  return bytesPerSampleOf[format.encoding] * format.channelCount;
}
