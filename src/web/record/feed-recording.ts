/** Feeds sound that is there already to a transcription: a file, or what an earlier page kept. Ends nothing. */
import type { Clock, Transcription } from "../../client/index.ts";
import { samplesPerMs } from "../audio/sample-rate.ts";

export interface FeedOptions {
  readonly transcription: Pick<Transcription, "write">;
  /** Samples from there on, up to a piece; none: that was all. */
  readonly read: (fromSample: number, toSample: number) => Int16Array | Promise<Int16Array>;
  readonly fromSample: number;
  readonly toSample: number;
  /** As fast as it was spoken; otherwise as fast as the server listens. */
  readonly isPaced: boolean;
  readonly clock: Clock;
  /** Stops feeding. */
  readonly signal: AbortSignal;
  /** Told of each piece that goes up. */
  readonly onSamples?: (samples: Int16Array) => void;
}

const pacedPieceMs = 100;
const fastPieceMs = 1_000;

/** Resolves when everything was taken, or the signal aborted. */
export async function feedRecording(options: FeedOptions): Promise<void> {
  const { transcription, read, fromSample, toSample, isPaced, clock, signal, onSamples } = options;
  const isAborted = () => signal.aborted;
  const pieceSamples = (isPaced ? pacedPieceMs : fastPieceMs) * samplesPerMs;
  const startMs = clock.now();
  for (let at = fromSample; at < toSample; at += pieceSamples) {
    const samples = await read(at, Math.min(at + pieceSamples, toSample));
    if (isAborted()) return;
    onSamples?.(samples);
    await untilDone(transcription.write(bytesOf(samples)), signal);
    const dueMs = startMs + (at + samples.length - fromSample) / samplesPerMs;
    if (isPaced) await sleep(clock, dueMs - clock.now(), signal);
    if (isAborted()) return;
  }
}

/** Little-endian, as every browser's machine is. */
export function bytesOf(samples: Int16Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}

function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return Promise.resolve();
  const slept = Promise.withResolvers<undefined>();
  const cancel = clock.after(ms, () => slept.resolve(undefined));
  return untilDone(slept.promise, signal).finally(cancel);
}

/** Or aborted. Leaves no listener behind: an hour has tens of thousands of pieces, and one signal. */
async function untilDone(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const aborted = Promise.withResolvers<undefined>();
  const onAbort = () => aborted.resolve(undefined);
  signal.addEventListener("abort", onAbort);
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
